// Preconditions: what must hold before anything is touched.
//
// Errors: refused, not_found, conflict, unsupported, with what to do. Pure functions. Threads: any. Privilege: none.
#pragma once

#include <vector>

#include "specs/plan/observed.h"
#include "specs/plan/planned_address.h"
#include "specs/service/service.h"
#include "specs/value/result.h"

namespace plumb {

// The service may run on this node.
[[nodiscard]] Result<void> check_node(const Service& service);
// The ip's device is there, up, has a carrier, and is of the kind that its mode needs; the kernel knows that kind of
// link. Not for type encap.
[[nodiscard]] Result<void> check_uplink(const Service& service, const IpResource& ip, const Observed& seen);
// The same for type encap in `home`, the namespace of its container.
[[nodiscard]] Result<void> check_device(const IpResource& ip, const ObservedNetns& home);
// The container has none of the addresses on another device.
[[nodiscard]] Result<void> check_container_has_not(const IpResource& ip, const std::vector<PlannedAddress>& addresses,
                                                   const ObservedNetns& home);
// The node itself has none of the addresses on another device: a probe asks the LAN, and would not hear that.
[[nodiscard]] Result<void> check_node_has_not(const Service& service, const IpResource& ip,
                                              const std::vector<PlannedAddress>& addresses, const Observed& seen);

}  // namespace plumb
