#include "plugin/driver/parent.h"

#include <string>

#include "netns/address/address.h"
#include "netns/link/link.h"
#include "netns/link/upper_link.h"
#include "netns/namespace/namespace.h"
#include "plugin/node/device.h"
#include "plugin/node/open_vswitch.h"
#include "plugin/node/vlan_use.h"
#include "specs/service/uplink.h"

namespace plumb::driver {

namespace {

std::string option(const IpResource& link) { return "option -o parent=" + link.ipdev; }

Result<void> check_given_away(netns::RouteSocket& node, const IpResource& link, const netns::Link& device) {
  const std::string what = option(link) + ": in mode dedicated the device ";
  const std::string next = "name a device that the node does not need, or give -o mode=macvlan";
  for (const auto& address : TRY(netns::addresses(node, device.index)))
    if (!address.cidr.address().is_link_local())
      return Err{ErrorKind::refused, what + "carries an address of the node, " + address.cidr.to_string(), next};
  if (device.master != 0) return Err{ErrorKind::refused, what + "is a port of a bridge or bond", next};
  for (const auto& upper : TRY(netns::links(node)))
    if (upper.parent_index == device.index && !upper.parent_namespace && upper.kind != "veth")
      return Err{ErrorKind::refused, what + "has " + upper.name.str() + " (" + upper.kind + ") upon it", next};
  return {};
}

// A macvlan or ipvlan takes what the device receives (netdev_rx_handler_register, net/core/dev.c), which only one can.
Result<void> check_carries_links(netns::RouteSocket& node, const IpResource& link, const netns::Link& device) {
  if (!device.mac)
    return Err{ErrorKind::refused, option(link) + ": it is no Ethernet device, and carries no links of containers",
               "name an Ethernet device"};
  const auto master = device.master == 0 ? std::nullopt : TRY(netns::find_link(node, device.master));
  if (master && master->kind != "vrf")
    return Err{ErrorKind::refused,
               option(link) + ": it is a port of " + master->name.str() + ", and carries no links of its own",
               "name " + master->name.str() + " itself"};
  for (const auto& upper : TRY(netns::links(node)))
    if (upper.parent_index == device.index && !upper.parent_namespace && upper.macvlan_mode == "passthru")
      return Err{ErrorKind::refused, option(link) + ": " + upper.name.str() + " has all of it (macvlan, mode passthru)",
                 "remove that one, or name another device"};
  return {};
}

Result<void> check_kind(netns::RouteSocket& node, const IpResource& link, IpMode mode) {
  const auto needs = [&](std::string_view kind, const std::string& word) -> Result<void> {
    if (kind.empty() || kind == "macvlan" || TRY(netns::knows_kind(node, kind))) return {};
    const std::string module = kind == "vlan" ? "8021q" : std::string(kind);
    return Err{ErrorKind::unsupported, "option -o " + word + ": this kernel knows no " + std::string(kind),
               "load it (modprobe " + module + "), or choose another mode"};
  };
  TRY(needs(kernel_kind(mode), "mode=" + std::string(mode_name(mode))));
  if (const auto vlan = vlan_device(link); vlan && !TRY(device_named(node, vlan->name)))
    return needs("vlan", "vlan=" + std::to_string(vlan->tag));
  return {};
}

}  // namespace

Result<IpMode> check_parent(const IpResource& link) {
  auto node = TRY(open_node());
  if (link.mode == IpMode::ovs) {
    const auto seen = observe_switch({});
    if (seen.error) return Err{*seen.error};
    for (const auto& bridge : seen.bridges)
      if (bridge == link.ipdev) return link.mode;
    return Err{ErrorKind::not_found, option(link) + ": Open vSwitch has no such bridge",
               "make it: ovs-vsctl add-br " + link.ipdev};
  }
  auto device = TRY(device_named(node, uplink(link)));
  const auto vlan = vlan_device(link);
  if (device && vlan && link.vlan_tag) TRY(check_is_vlan(node, *vlan, *device));
  if (!device && vlan) device = TRY(device_named(node, vlan->lower));
  if (!device)
    return Err{ErrorKind::not_found, option(link) + ": this node has no such device", "`ip link` lists its devices"};
  const bool bridge = device->kind == "bridge";
  const IpMode mode = link.mode != IpMode::automatic ? link.mode : bridge ? IpMode::bridge : IpMode::macvlan;
  if (mode == IpMode::bridge && !bridge)
    return Err{ErrorKind::refused, option(link) + ": it is no bridge", "name a bridge, or give -o mode=macvlan"};
  if (device->loopback)
    return Err{ErrorKind::refused, option(link) + ": it is the loopback device", "name an Ethernet device"};
  TRY(check_kind(node, link, mode));
  if (mode == IpMode::dedicated) TRY(check_given_away(node, link, *device));
  if (mode == IpMode::macvlan || is_ipvlan(mode)) TRY(check_carries_links(node, link, *device));
  return mode;
}

Result<void> check_audible(const IpResource& link, IpMode mode) {
  if (probed_from_link(mode)) return {};
  auto node = TRY(open_node());
  const auto vlan = vlan_device(link);
  auto device = TRY(device_named(node, uplink(link)));
  if (!device && vlan) device = TRY(device_named(node, vlan->lower));
  if (!device) return Err{ErrorKind::not_found, option(link) + ": this node has no such device"};
  if (!device->up)
    return Err{ErrorKind::refused, "device " + device->name.str() + " is down",
               "bring it up: ip link set " + device->name.str() + " up"};
  // A bridge has no carrier until its first port has one, and ours may be that port.
  if (!device->carrier && link.check_carrier && device->kind != "bridge")
    return Err{ErrorKind::refused,
               "device " + device->name.str() + " has no carrier, so nobody could be heard who has the address",
               "check its cable, or create the network with -o check_carrier=false"};
  return {};
}

Result<std::string> device_with(const IpAddress& address) {
  auto node = TRY(open_node());
  // Of one family: each port of a bridge has a link-local address.
  for (const auto& have : TRY(netns::addresses(node, 0, address.is_v6() ? netns::Family::v6 : netns::Family::v4))) {
    if (have.cidr.address() != address) continue;
    const auto device = TRY(netns::find_link(node, have.ifindex));
    return device ? device->name.str() : std::string();
  }
  return std::string();
}

}  // namespace plumb::driver
