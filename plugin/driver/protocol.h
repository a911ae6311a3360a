// Protocol: the engine's calls, as HTTP requests, to Networks and Pools (moby daemon/libnetwork/docs/remote.md,
// ipam.md).
//
// An error is answered with status 200 and both keys that engines read, Err and Error: so its text reaches the person
// who called docker. A body that cannot be understood is 400, a method that there is not 404. Threads: safe from any.
// Privilege: that of Networks.
#pragma once

#include "plugin/daemon/http_server.h"
#include "plugin/driver/metrics.h"
#include "plugin/driver/networks.h"
#include "plugin/driver/pools.h"

namespace plumb::driver {

class Protocol {
 public:
  // All references outlive this.
  Protocol(Networks& networks, Pools& pools, Metrics& metrics)
      : networks_(networks), pools_(pools), metrics_(metrics) {}

  [[nodiscard]] Reply answer(const Request& request);

 private:
  Networks& networks_;
  Pools& pools_;
  Metrics& metrics_;
};

}  // namespace plumb::driver
