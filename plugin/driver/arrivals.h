// Arrivals: notices when the engine has moved a link into its container, and announces the addresses there.
//
// The engine tells a driver nothing after Join. The kernel does: the link leaves the node's namespace, and is up with
// its addresses in the sandbox a moment later. The addresses are announced then, and once more when the carrier of the
// uplink returns. Nothing here delays or fails a start. No namespace is held for longer than an arrival takes: one that
// is held would outlive its container, and its address with it.
//
// Threads: one of its own, which all waits share; the functions are safe from any. Privilege: CAP_NET_ADMIN,
// CAP_NET_RAW, CAP_SYS_ADMIN.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "plugin/driver/metrics.h"
#include "plugin/driver/record.h"
#include "plugin/node/host_link.h"
#include "specs/service/service.h"
#include "specs/value/result.h"

namespace plumb::driver {

// An endpoint whose link arrives, or has arrived.
struct Arrival {
  EndpointRecord endpoint;
  std::vector<IpAddress> gateways;
  AnnouncePolicy announce;
  std::vector<HostSide> host;  // what its namespace has to know of the node
};

class Arrivals {
 public:
  // Errors: permission.
  [[nodiscard]] static Result<Arrivals> start(Metrics& metrics);
  Arrivals(Arrivals&&) noexcept;
  Arrivals& operator=(Arrivals&&) = delete;
  ~Arrivals();

  // The engine is about to move the link. Call it before the engine is answered.
  void expect(Arrival arrival);
  // The link is in its container already: an endpoint of before this driver's start.
  void resume(Arrival arrival);
  // The link is about to go: nothing more is announced.
  void forget(const std::string& endpoint);

 private:
  struct Loop;
  explicit Arrivals(std::unique_ptr<Loop> loop);
  std::unique_ptr<Loop> loop_;
};

}  // namespace plumb::driver
