#include "plugin/node/vlan_use.h"

#include <algorithm>

#include "netns/link/upper_link.h"
#include "plugin/node/device.h"

namespace plumb {

Result<void> check_is_vlan(netns::RouteSocket& node, const VlanDevice& vlan, const netns::Link& device) {
  const auto lower = TRY(device_named(node, vlan.lower));
  if (device.kind == "vlan" && device.vlan_id == vlan.tag && lower && device.parent_index == lower->index &&
      !device.parent_namespace)
    return {};
  return Err{
      ErrorKind::refused,
      "device " + vlan.name + " is not VLAN " + std::to_string(vlan.tag) + " on " + vlan.lower + ", but another one",
      "rename that device, or name it itself, without a tag"};
}

Result<void> join_vlan(netns::RouteSocket& node, const VlanDevice& vlan, const std::string& user) {
  auto device = TRY(device_named(node, vlan.name));
  if (!device) {
    const auto lower = TRY(need_link(node, vlan.lower));
    const auto name = TRY(IfName::parse(vlan.name));
    device = TRY(netns::create_vlan(node, {lower.index, name, vlan.tag, kVlanGroup}));
  }
  if (device->group != kVlanGroup) return {};
  if (std::find(device->altnames.begin(), device->altnames.end(), user) != device->altnames.end()) return {};
  return netns::add_altname(node, device->index, user);
}

Result<void> leave_vlan(netns::RouteSocket& node, const std::string& name, const std::string& user) {
  auto device = TRY(device_named(node, name));
  if (!device || device->kind != "vlan" || device->group != kVlanGroup) return {};
  TRY(netns::remove_altname(node, device->index, user));
  device = TRY(netns::find_link(node, device->index));
  if (!device || std::any_of(device->altnames.begin(), device->altnames.end(), is_vlan_user)) return {};
  return netns::remove_link(node, device->index);
}

}  // namespace plumb
