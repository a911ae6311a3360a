// The device that an ip is plumbed on, and how: what follows from mode, ipdev and vlan_tag alone.
//
// Pure functions. Threads: any. Privilege: none.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "specs/service/service.h"

namespace plumb {

// An 802.1q device of the node that an ip is on.
struct VlanDevice {
  std::string name;   // "eth0.42"
  std::string lower;  // "eth0"
  unsigned tag = 0;   // 1 to 4094
};

// Of an ip with a vlan_tag, or with an ipdev that is written as such a device; whether there is one yet or not. Nothing
// for modes that need no device of the node for it (ovs) or that take ipdev as it is (bridge, dedicated, encap).
[[nodiscard]] std::optional<VlanDevice> vlan_device(const IpResource& ip);

// The device that the ip is plumbed on: its VLAN device, else ipdev.
[[nodiscard]] std::string uplink(const IpResource& ip);

// The group (IFLA_GROUP) of the VLAN devices that plumb makes. One that an administrator made is used, and never
// removed.
constexpr unsigned kVlanGroup = 0x706c62;
// By what an ip says that it uses a VLAN device of plumb's: "plumb:svc1:ip#0". Where it is kept:
// plugin/node/vlan_use.h.
[[nodiscard]] std::string vlan_user(const std::string& service, const std::string& resource);
// The resource of such a user of this service; empty for any other.
[[nodiscard]] std::string vlan_user_resource(const std::string& service, std::string_view user);
// The service of such a user; empty for one that is no service's (the driver's networks) and for what is no user.
[[nodiscard]] std::string vlan_user_service(std::string_view user);
// Up to 0.2.0 a user was a further name of the device (IFLA_ALT_IFNAME), of which the kernel takes 496 at most.
[[nodiscard]] bool is_vlan_user(std::string_view altname);
// The one further name that such a device has today, "plumb::MARK": whose file has its users. To a plumb of 0.2.0
// it is a user, for which it leaves the device.
[[nodiscard]] std::string vlan_mark_name(std::string_view mark);
// The mark of such a name; empty for any other.
[[nodiscard]] std::string_view vlan_mark(std::string_view altname);

[[nodiscard]] constexpr bool is_ipvlan(IpMode mode) {
  return mode == IpMode::ipvlan_l2 || mode == IpMode::ipvlan_l3 || mode == IpMode::ipvlan_l3s;
}
// The link has no Ethernet of its own: the node routes for it, nobody resolves its addresses, and its default route
// needs no gateway (Documentation/networking/ipvlan.rst, section 4.2).
[[nodiscard]] constexpr bool is_routed(IpMode mode) { return mode == IpMode::ipvlan_l3 || mode == IpMode::ipvlan_l3s; }
// The address can only be probed from the link itself, once it is there: the device is nowhere else (dedicated), or
// nothing else is on the same network (ovs).
[[nodiscard]] constexpr bool probed_from_link(IpMode mode) { return mode == IpMode::dedicated || mode == IpMode::ovs; }

// As the keyword has it: "ipvlan-l2".
[[nodiscard]] std::string_view mode_name(IpMode mode);

// "macvlan on ", "veth on bridge ": what comes before the device's name.
[[nodiscard]] std::string_view link_words(IpMode mode);

// The kind of device that the kernel must know for the mode; empty for those that every kernel has.
[[nodiscard]] std::string_view kernel_kind(IpMode mode);

}  // namespace plumb
