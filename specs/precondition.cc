#include <algorithm>

#include "specs/planner_parts.h"

namespace plumb {

Result<void> check_node(const Service& service) {
  if (service.has_node(service.node)) return {};
  std::string where;
  for (const auto* list : {&service.nodes, &service.drpnodes})
    for (const auto& node : *list) where += (where.empty() ? "" : ", ") + node;
  return Err{ErrorKind::refused, service.node + " is not one of its nodes (" + where + ")",
             "start it on one of these, or add " + service.node + " to nodes or drpnodes in [DEFAULT]"};
}

Result<void> check_parent(const Service& service, const IpResource& ip, const ObservedNetns& home) {
  const auto* parent = home.link(ip.ipdev);
  const bool encap = ip.type == IpType::encap;
  const std::string what = ip.id + ": device " + ip.ipdev + ", " + (encap ? ip.netns : service.node) + ": ";
  if (parent == nullptr) {
    std::string have;
    for (const auto& link : home.links) have += (have.empty() ? "" : ", ") + link.name;
    return Err{ErrorKind::not_found, what + "no such device (there are: " + have + ")",
               "set ipdev in [" + ip.id + "] to one of these" +
                   (encap ? std::string{} : ", or ipdev@" + service.node + " for this node alone")};
  }
  if (!parent->up)
    return Err{ErrorKind::refused, what + "it is down",
               "bring it up" + (encap ? " in the container" : std::string{}) + ": ip link set " + ip.ipdev + " up"};
  // A bridge has no carrier until its first port has one, and ours may be that port.
  if (ip.check_carrier && !parent->carrier && parent->kind != "bridge")
    return Err{ErrorKind::refused, what + "it has no carrier",
               "check its cable or peer, or set check_carrier = false in [" + ip.id + "]"};
  if (ip.mode == IpMode::bridge && parent->kind != "bridge")
    return Err{ErrorKind::refused, ip.id + ": mode = bridge, but device " + ip.ipdev + " is not a bridge",
               "set ipdev to a bridge, or mode = macvlan, in [" + ip.id + "]"};
  return {};
}

Result<void> check_container_has_not(const IpResource& ip, const std::vector<PlannedAddress>& addresses,
                                     const ObservedNetns& home) {
  for (const auto& address : addresses) {
    const auto* have = home.address(address.cidr.address());
    const auto* link = have == nullptr ? nullptr : home.link(have->link);
    if (link == nullptr || link->name == ip.ipdev) continue;
    return Err{ErrorKind::conflict,
               ip.id + ": address " + address.cidr.address().to_string() + ": " + ip.netns + " has it on " + link->name,
               "remove it there, or correct ipname or ipdev in [" + ip.id + "]"};
  }
  return {};
}

Result<void> check_node_has_not(const Service& service, const IpResource& ip,
                                const std::vector<PlannedAddress>& addresses, const Observed& seen) {
  for (const auto& address : addresses) {
    const auto* have = seen.node.address(address.cidr.address());
    const auto* link = have == nullptr ? nullptr : seen.node.link(have->link);
    if (link == nullptr || (ip.type == IpType::host && link->name == ip.ipdev)) continue;
    return Err{ErrorKind::conflict,
               ip.id + ": address " + address.cidr.address().to_string() + ": this node (" + service.node +
                   ") has it on " + link->name,
               "remove it there (ip address del " + have->cidr.to_string() + " dev " + link->name +
                   "), or correct ipname in [" + ip.id + "]"};
  }
  return {};
}

}  // namespace plumb
