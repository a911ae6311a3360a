// What is plumbed already, held against what the configuration wants.
#include <algorithm>

#include "specs/planner_parts.h"

namespace plumb {

// The parent is known by its index. A macvlan upon a macvlan has the latter's own (drivers/net/macvlan.c,
// macvlan_common_newlink).
bool link_fits(const IpResource& ip, const ObservedLink& link, const Observed& seen) {
  if (planned_mode(ip, seen) == IpMode::bridge) return link.kind == "veth";
  const auto* parent = seen.node.link(ip.ipdev);
  return link.kind == "macvlan" && parent != nullptr &&
         link.parent == (parent->kind == "macvlan" ? parent->parent : parent->index);
}

bool plumbed_otherwise(const Service& service, const IpResource& ip, const std::vector<PlannedAddress>& addresses,
                       const ObservedNetns& ns, const Observed& seen) {
  const std::string device = planned_device(service, ip);
  return std::any_of(addresses.begin(), addresses.end(), [&](const PlannedAddress& address) {
    const auto* have = ns.address(address.cidr.address());
    const auto* link = have == nullptr ? nullptr : ns.link(have->link);
    if (link == nullptr || !link->up) return false;
    return have->cidr.prefix() != address.cidr.prefix() || link->name != device || !link_fits(ip, *link, seen) ||
           (ip.mtu && *ip.mtu != link->mtu) || (ip.macaddr && ip.macaddr != link->mac);
  });
}

bool has_default_route(const ObservedNetns& ns, const IpAddress& gateway) {
  return std::any_of(ns.routes.begin(), ns.routes.end(),
                     [&](const ObservedRoute& r) { return !r.destination && r.gateway == gateway; });
}

}  // namespace plumb
