// What an address' LAN is behind: the node's devices whose carrier it depends on.
//
// Pure functions. Threads: any. Privilege: none.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "specs/plan/observed.h"
#include "specs/service/service.h"

namespace plumb {

// A device as it was seen last: should its number of losses have changed since, so has its LAN, perhaps.
struct CarrierSeen {
  std::string device;
  int index = 0;  // another device of that name is another one
  std::uint32_t downs = 0;

  friend bool operator==(const CarrierSeen&, const CarrierSeen&) = default;
};

// The ports of that device, where it is a bridge, but those that plumb has made.
[[nodiscard]] std::set<std::string> ports_of(const std::string& device, const Observed& seen);

// Of the uplink of `ip` and its ports. None where the LAN is behind the container's own device, or the configuration
// minds no carrier.
[[nodiscard]] std::vector<CarrierSeen> carriers_of(const IpResource& ip, const Observed& seen);

// Whether one of the devices that were seen before has lost its carrier since.
[[nodiscard]] bool has_flapped(const std::vector<CarrierSeen>& before, const std::vector<CarrierSeen>& now);

}  // namespace plumb
