#include "specs/plan/precondition.h"

#include <algorithm>

#include "specs/plan/parent_link.h"
#include "specs/plan/plumbed.h"
#include "specs/service/uplink.h"

namespace plumb {

Result<void> check_node(const Service& service) {
  if (service.has_node(service.node)) return {};
  std::string where;
  for (const auto* list : {&service.nodes, &service.drpnodes})
    for (const auto& node : *list) where += (where.empty() ? "" : ", ") + node;
  return Err{ErrorKind::refused, service.node + " is not one of its nodes (" + where + ")",
             "start it on one of these, or add " + service.node + " to nodes or drpnodes in [DEFAULT]"};
}

namespace {

std::string names_of(const std::vector<ObservedLink>& links) {
  std::string out;
  for (const auto& link : links) out += (out.empty() ? "" : ", ") + link.name;
  return out;
}

// `name`: ipdev, or what a VLAN device is made on.
Result<void> check_link(const IpResource& ip, const std::string& name, const std::string& place,
                        const ObservedNetns& home, const std::string& elsewhere) {
  const auto* link = home.link(name);
  const std::string what = ip.id + ": device " + name + ", " + place + ": ";
  if (link == nullptr)
    return Err{ErrorKind::not_found, what + "no such device (there are: " + names_of(home.links) + ")",
               "set ipdev in [" + ip.id + "] to one of these" + elsewhere};
  if (!link->up)
    return Err{ErrorKind::refused, what + "it is down",
               "bring it up" + (ip.type == IpType::encap ? " in the container" : std::string{}) + ": ip link set " +
                   name + " up"};
  // A bridge has no carrier until its first port has one, and ours may be that port.
  if (ip.check_carrier && !link->carrier && link->kind != "bridge")
    return Err{ErrorKind::refused, what + "it has no carrier",
               "check its cable or peer, or set check_carrier = false in [" + ip.id + "]"};
  return {};
}

// A device that has the name of the VLAN device that the ip asks for by its tag, and is another one.
Result<void> check_vlan(const IpResource& ip, const VlanDevice& vlan, const ObservedNetns& node) {
  const auto* have = node.link(vlan.name);
  const auto* lower = node.link(vlan.lower);
  if (!ip.vlan_tag || have == nullptr) return {};
  if (have->kind == "vlan" && have->vlan_id == vlan.tag && lower != nullptr && have->parent == lower->index) return {};
  const auto* below = have->kind == "vlan" ? node.link(have->parent) : nullptr;
  return Err{ErrorKind::refused,
             ip.id + ": vlan_tag = " + std::to_string(vlan.tag) + ": there is a device " + vlan.name + ", and it is " +
                 (below == nullptr ? "no VLAN device" + (have->kind.empty() ? "" : ", but of kind " + have->kind)
                                   : "VLAN " + std::to_string(have->vlan_id) + " of " + below->name),
             "rename or remove that device, or set ipdev in [" + ip.id + "] to the one that has the VLAN"};
}

// The mode belongs to the parent: another ipvlan in another mode would change that of all (ipvlan_set_port_mode,
// drivers/net/ipvlan/ipvlan_main.c).
Result<void> check_ipvlan_mode(const IpResource& ip, const Observed& seen) {
  if (!is_ipvlan(ip.mode)) return {};
  const std::string parent = uplink(ip);
  const auto refuse = [&](const std::string& mode, const std::string& whose) {
    return Err{ErrorKind::refused,
               ip.id + ": mode = " + std::string(mode_name(ip.mode)) + ": device " + parent + " has ipvlans in mode " +
                   mode + " of " + whose + ", and all on one device have one mode",
               "set the same mode in [" + ip.id + "], or another ipdev"};
  };
  if (const auto other = seen.ipvlan_parents.find(parent);
      other != seen.ipvlan_parents.end() && other->second.first != ip.mode)
    return refuse(std::string(mode_name(other->second.first)), other->second.second);
  const auto* device = seen.node.link(parent);
  for (const auto& link : seen.node.links)
    if (device != nullptr && link.kind == "ipvlan" && link.parent == device->index &&
        "ipvlan-" + link.ipvlan_mode != mode_name(ip.mode))
      return refuse("ipvlan-" + link.ipvlan_mode, "this node, " + link.name);
  return {};
}

Result<void> check_bridge_of_switch(const IpResource& ip, const ObservedSwitch& seen) {
  if (seen.error) return Err{*seen.error};
  if (std::find(seen.bridges.begin(), seen.bridges.end(), ip.ipdev) != seen.bridges.end()) return {};
  std::string have;
  for (const auto& bridge : seen.bridges) have += (have.empty() ? "" : ", ") + bridge;
  return Err{ErrorKind::not_found,
             ip.id + ": Open vSwitch has no bridge " + ip.ipdev + (have.empty() ? "" : " (there are: " + have + ")"),
             "set ipdev in [" + ip.id + "] to one that it has, or make it: ovs-vsctl add-br " + ip.ipdev};
}

// Who gives a device away loses its addresses, and what is on it or in it.
Result<void> check_dedicated(const Service& service, const IpResource& ip, const Observed& seen) {
  const auto* link = dedicated_on_node(ip, seen);
  if (link == nullptr) {
    const auto owner = seen.containers.find(ip.netns);
    if (owner != seen.containers.end() && owner->second.netns)
      for (const auto& inside : owner->second.netns->links)
        if (link_fits(ip, inside, seen)) return {};
    return Err{ErrorKind::not_found,
               ip.id + ": device " + ip.ipdev + ", " + service.node +
                   ": no such device (there are: " + names_of(seen.node.links) + ")",
               "set ipdev in [" + ip.id + "] to one of these; another service may have it"};
  }
  const std::string what = ip.id + ": mode = dedicated: device " + link->name + " ";
  const std::string next = "set ipdev in [" + ip.id + "] to a device that the node does not need, or mode = macvlan";
  for (const auto& address : seen.node.addresses)
    if (address.link == link->index && !address.cidr.address().is_link_local())
      return Err{ErrorKind::refused, what + "carries an address of the node, " + address.cidr.to_string(), next};
  if (link->master != 0) return Err{ErrorKind::refused, what + "is a port of a bridge or bond", next};
  for (const auto& upper : seen.node.links)
    if (upper.parent == link->index && upper.kind != "veth")
      return Err{ErrorKind::refused, what + "has " + upper.name + " (" + upper.kind + ") upon it", next};
  return {};
}

}  // namespace

Result<void> check_device(const IpResource& ip, const ObservedNetns& home) {
  return check_link(ip, ip.ipdev, ip.netns, home, {});
}

Result<void> check_uplink(const Service& service, const IpResource& ip, const Observed& seen) {
  if (const auto kind = kernel_kind(ip.mode); !kind.empty() && seen.lacking_kinds.contains(kind))
    return Err{ErrorKind::unsupported,
               ip.id + ": mode = " + std::string(mode_name(ip.mode)) + ": this kernel knows no " + std::string(kind),
               "load it (modprobe " + std::string(kind) + "), or set mode = macvlan in [" + ip.id + "]"};
  if (ip.mode == IpMode::ovs) return check_bridge_of_switch(ip, seen.open_vswitch);
  if (ip.mode == IpMode::dedicated) return check_dedicated(service, ip, seen);
  const std::string elsewhere = ", or ipdev@" + service.node + " for this node alone";
  if (ip.type == IpType::netns) TRY(check_ipvlan_mode(ip, seen));
  if (const auto vlan = vlan_device(ip)) TRY(check_vlan(ip, *vlan, seen.node));
  if (const auto vlan = vlan_device(ip); vlan && seen.node.link(vlan->name) == nullptr) {
    TRY(check_link(ip, vlan->lower, service.node, seen.node, elsewhere));
    if (seen.lacking_kinds.contains("vlan"))
      return Err{ErrorKind::unsupported, ip.id + ": device " + vlan->name + ": this kernel knows no 802.1q devices",
                 "load the module (modprobe 8021q), or set ipdev to a device that has that VLAN untagged"};
    return {};
  }
  TRY(check_link(ip, uplink(ip), service.node, seen.node, elsewhere));
  const auto* parent = seen.node.link(uplink(ip));
  const auto* master =
      ip.type == IpType::netns && planned_mode(ip, seen) != IpMode::bridge ? seen.node.link(parent->master) : nullptr;
  // Who takes a device's frames first is one (netdev_rx_handler_register, net/core/dev.c).
  if (master != nullptr &&
      (master->kind == "bridge" || master->kind == "bond" || master->kind == "team" || master->kind == "openvswitch"))
    return Err{ErrorKind::refused,
               ip.id + ": device " + parent->name + " is a port of " + master->name + " (" + master->kind +
                   "), and no link can be made upon it",
               "set ipdev = " + master->name + " in [" + ip.id + "]"};
  if (ip.mode == IpMode::bridge && seen.node.link(ip.ipdev)->kind != "bridge")
    return Err{ErrorKind::refused, ip.id + ": mode = bridge, but device " + ip.ipdev + " is not a bridge",
               "set ipdev to a bridge, or mode = macvlan, in [" + ip.id + "]"};
  return {};
}

Result<void> check_container_has_not(const IpResource& ip, const std::vector<PlannedAddress>& addresses,
                                     const ObservedNetns& home) {
  for (const auto& address : addresses) {
    const auto* have = home.address(address.cidr.address());
    const auto* link = have == nullptr ? nullptr : home.link(have->link);
    if (link == nullptr || link == home.link(ip.ipdev)) continue;
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
    if (link == nullptr || (ip.type == IpType::host && link == seen.node.link(uplink(ip)))) continue;
    return Err{ErrorKind::conflict,
               ip.id + ": address " + address.cidr.address().to_string() + ": this node (" + service.node +
                   ") has it on " + link->name,
               "remove it there (ip address del " + have->cidr.to_string() + " dev " + link->name +
                   "), or correct ipname in [" + ip.id + "]"};
  }
  return {};
}

}  // namespace plumb
