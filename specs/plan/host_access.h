// The node's own way to the addresses of macvlans and ipvlans: a link of the node on the same device, with a route to
// each of them. The kernel lets no frame pass between such a device and those upon it.
//
// Pure functions. Threads: any. Privilege: none.
#pragma once

#include <string>

#include "specs/plan/observed.h"
#include "specs/service/service.h"
#include "specs/value/ip.h"

namespace plumb {

// The name of the node's own macvlan on the device with that index.
[[nodiscard]] std::string host_link_name(int parent_index);
// Its MAC, by that of the device, and always the same: a link that is made again is found where services have it in
// their caches.
[[nodiscard]] Mac host_link_mac(const Mac& parent);
// Whether a link of the node is one of these.
[[nodiscard]] bool is_host_link(const ObservedLink& link);

// The node's own macvlan on the ip's device, through which it reaches the addresses on that device's other macvlans.
// Nullptr when there is none.
[[nodiscard]] const ObservedLink* host_link(const Observed& seen, const IpResource& ip);
// The node has a route to that very address through `link`.
[[nodiscard]] bool has_host_route(const ObservedNetns& node, const ObservedLink& link, const IpAddress& address);
// The ip asks for host access, and is on a link that the node does not reach without.
[[nodiscard]] bool wants_host_access(const IpResource& ip, const Observed& seen);
// It does, and the node has no way to this address of it.
[[nodiscard]] bool lacks_host_access(const IpResource& ip, const IpAddress& address, const Observed& seen);

}  // namespace plumb
