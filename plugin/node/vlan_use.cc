#include "plugin/node/vlan_use.h"

#include <algorithm>

#include "netns/address/address.h"
#include "netns/link/upper_link.h"
#include "plugin/node/device.h"
#include "plugin/node/node_scan.h"
#include "plugin/node/service_lock.h"
#include "plugin/node/service_state.h"
#include "plugin/node/vlan_users.h"

namespace plumb {

namespace {

bool has_name(const netns::Link& device, const std::string& name) {
  return std::find(device.altnames.begin(), device.altnames.end(), name) != device.altnames.end();
}

// The driver alone knows its networks.
bool is_alive(const std::string& user, const std::string& folder) {
  const auto service = vlan_user_service(user);
  return service.empty() || is_known_or_busy(service, folder);
}

// Whether anything is on the device: an address, a bridge that it is a port of, a device of this namespace or another.
Result<bool> is_used(netns::RouteSocket& node, const netns::Link& device) {
  if (device.master != 0) return true;
  for (const auto& have : TRY(netns::addresses(node, device.index)))
    if (!have.cidr.address().is_link_local()) return true;
  for (const auto& link : TRY(netns::links(node)))
    if (link.parent_index == device.index && !link.parent_namespace) return true;
  const auto elsewhere = uppers_elsewhere();
  return std::any_of(elsewhere.begin(), elsewhere.end(),
                     [&](const UpperElsewhere& upper) { return upper.link.parent_index == device.index; });
}

}  // namespace

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
  TRY(run_directory());
  auto device = TRY(device_named(node, vlan.name));
  if (!device) {
    const auto lower = TRY(need_link(node, vlan.lower));
    const auto name = TRY(IfName::parse(vlan.name));
    device = TRY(netns::create_vlan(node, {lower.index, name, vlan.tag, kVlanGroup}));
  }
  return join_device(node, *device, user);
}

Result<void> leave_vlan(netns::RouteSocket& node, const std::string& name, const std::string& user) {
  const auto device = TRY(device_named(node, name));
  if (!device || device->kind != "vlan") return {};
  return leave_device(node, *device, user);
}

Result<std::vector<std::string>> vlan_users(const netns::Link& device, const std::string& folder) {
  std::vector<std::string> out;
  if (device.group != kVlanGroup) return out;
  if (const auto kept = TRY(read_vlan_users(device, folder))) out.assign(kept->users.begin(), kept->users.end());
  for (const auto& name : device.altnames)
    if (is_vlan_user(name) && std::find(out.begin(), out.end(), name) == out.end()) out.push_back(name);
  return out;
}

Result<void> join_device(netns::RouteSocket& node, const netns::Link& device, const std::string& user,
                         const std::string& folder) {
  if (device.group != kVlanGroup || has_name(device, user)) return {};
  auto kept = TRY(read_vlan_users(device, folder));
  if (!kept) kept.emplace();
  if (!kept->users.insert(user).second) return {};
  return write_vlan_users(node, device, kept->users, folder);
}

Result<void> leave_device(netns::RouteSocket& node, const netns::Link& device, const std::string& user,
                          const std::string& folder) {
  if (device.group != kVlanGroup) return {};
  auto kept = TRY(read_vlan_users(device, folder));
  const bool former = has_name(device, user);
  auto left = TRY(vlan_users(device, folder));
  std::erase(left, user);
  // Nobody knows of users, or of none that is still there: then the kernel has to say that nobody uses it.
  const bool nobody = std::none_of(left.begin(), left.end(), [&](const auto& one) { return is_alive(one, folder); });
  const bool surely = left.empty() && (kept || former) && !is_marked_elsewhere(device, folder);
  if (nobody && (surely || !TRY(is_used(node, device)))) {
    TRY(netns::remove_link(node, device.index));
    return forget_vlan_users(device, folder);
  }
  if (former) TRY(netns::remove_altname(node, device.index, user));
  return kept && kept->users.erase(user) != 0 ? write_vlan_users(node, device, kept->users, folder) : Result<void>{};
}

}  // namespace plumb
