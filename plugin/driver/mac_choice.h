// The MAC of an endpoint that nobody has given one.
//
// Threads: safe from any. Privilege: none.
#pragma once

#include <vector>

#include "plugin/driver/network_options.h"
#include "specs/value/ip.h"

namespace plumb::driver {

// Locally administered and unicast (IEEE 802, the second and first bit of the first byte). With from_ip it follows from
// the first address: 02:70 and the IPv4 address, or for IPv6 a digest of it; without an address it is random.
[[nodiscard]] Mac choose_mac(MacPolicy policy, const std::vector<Cidr>& addresses);

}  // namespace plumb::driver
