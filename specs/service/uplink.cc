#include "specs/service/uplink.h"

#include "specs/value/scalar.h"

namespace plumb {

namespace {

constexpr std::string_view kUser = "plumb:";
constexpr std::string_view kMark = "plumb::";  // no service has an empty name

}  // namespace

std::optional<VlanDevice> vlan_device(const IpResource& ip) {
  if (ip.type == IpType::encap || probed_from_link(ip.mode) || ip.mode == IpMode::bridge) return std::nullopt;
  if (ip.vlan_tag) return VlanDevice{ip.ipdev + "." + std::to_string(*ip.vlan_tag), ip.ipdev, *ip.vlan_tag};
  const auto dot = ip.ipdev.rfind('.');
  if (dot == std::string::npos || dot == 0) return std::nullopt;
  const auto tag = parse_integer(std::string_view(ip.ipdev).substr(dot + 1), 1, 4094);
  if (!tag) return std::nullopt;
  return VlanDevice{ip.ipdev, ip.ipdev.substr(0, dot), *tag};
}

std::string uplink(const IpResource& ip) {
  const auto vlan = vlan_device(ip);
  return vlan ? vlan->name : ip.ipdev;
}

std::string vlan_user(const std::string& service, const std::string& resource) {
  return std::string(kUser) + service + ":" + resource;
}

std::string vlan_user_resource(const std::string& service, std::string_view user) {
  const std::string prefix = vlan_user(service, {});
  return user.starts_with(prefix) ? std::string(user.substr(prefix.size())) : std::string{};
}

std::string vlan_user_service(std::string_view user) {
  if (!is_vlan_user(user)) return {};
  user.remove_prefix(kUser.size());
  const auto colon = user.find(':');
  // A resource of a service has a number, "ip#0"; a network of the driver's has none.
  if (colon == std::string_view::npos || user.find('#', colon) == std::string_view::npos) return {};
  return std::string(user.substr(0, colon));
}

bool is_vlan_user(std::string_view altname) { return altname.starts_with(kUser) && !altname.starts_with(kMark); }

std::string vlan_mark_name(std::string_view mark) { return std::string(kMark) + std::string(mark); }

std::string_view vlan_mark(std::string_view altname) {
  return altname.starts_with(kMark) ? altname.substr(kMark.size()) : std::string_view{};
}

std::string_view mode_name(IpMode mode) {
  switch (mode) {
    case IpMode::bridge: return "bridge";
    case IpMode::ipvlan_l2: return "ipvlan-l2";
    case IpMode::ipvlan_l3: return "ipvlan-l3";
    case IpMode::ipvlan_l3s: return "ipvlan-l3s";
    case IpMode::dedicated: return "dedicated";
    case IpMode::ovs: return "ovs";
    case IpMode::automatic:
    case IpMode::macvlan: break;
  }
  return "macvlan";
}

std::string_view link_words(IpMode mode) {
  switch (mode) {
    case IpMode::bridge: return "veth on bridge ";
    case IpMode::ipvlan_l2: return "ipvlan l2 on ";
    case IpMode::ipvlan_l3: return "ipvlan l3 on ";
    case IpMode::ipvlan_l3s: return "ipvlan l3s on ";
    case IpMode::dedicated: return "the node's own ";
    case IpMode::ovs: return "port of Open vSwitch bridge ";
    case IpMode::automatic:
    case IpMode::macvlan: break;
  }
  return "macvlan on ";
}

std::string_view kernel_kind(IpMode mode) { return is_ipvlan(mode) ? "ipvlan" : ""; }

}  // namespace plumb
