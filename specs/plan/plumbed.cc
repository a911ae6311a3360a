#include "specs/plan/plumbed.h"

#include <algorithm>

#include "specs/plan/parent_link.h"
#include "specs/service/uplink.h"
#include "specs/value/dedicated_mark.h"

namespace plumb {

// A parent is known by its index. A macvlan upon a macvlan has the latter's own (drivers/net/macvlan.c,
// macvlan_common_newlink), and so has an ipvlan upon an ipvlan.
bool link_fits(const IpResource& ip, const ObservedLink& link, const Observed& seen) {
  const IpMode mode = planned_mode(ip, seen);
  if (mode == IpMode::bridge) return link.kind == "veth";
  if (mode == IpMode::dedicated) {
    const auto mark = DedicatedMark::parse(link.alias);
    return mark && mark->device == ip.ipdev;
  }
  if (mode == IpMode::ovs) {
    const auto ports = seen.open_vswitch.ports.find(ip.id);
    const auto* outer = link.kind == "veth" ? seen.node.link(link.parent) : nullptr;
    return outer != nullptr && ports != seen.open_vswitch.ports.end() &&
           std::find(ports->second.begin(), ports->second.end(), outer->name) != ports->second.end();
  }
  const std::string_view kind = is_ipvlan(mode) ? "ipvlan" : "macvlan";
  const auto* parent = seen.node.link(uplink(ip));
  if (link.kind != kind || parent == nullptr || link.parent != (parent->kind == kind ? parent->parent : parent->index))
    return false;
  return kind == "macvlan" || link_words(mode) == "ipvlan " + link.ipvlan_mode + " on ";
}

bool is_unplugged(const IpResource& ip, const ObservedLink& link, const Observed& seen) {
  if (ip.type != IpType::netns || planned_mode(ip, seen) != IpMode::bridge || link.kind != "veth") return false;
  const auto* outer = seen.node.link(link.parent);
  const auto* bridge = seen.node.link(uplink(ip));
  return outer != nullptr && bridge != nullptr && outer->master != bridge->index;
}

bool plumbed_otherwise(const Service& service, const IpResource& ip, const std::vector<PlannedAddress>& addresses,
                       const ObservedNetns& ns, const Observed& seen) {
  const std::string device = planned_device(service, ip);
  return std::any_of(addresses.begin(), addresses.end(), [&](const PlannedAddress& address) {
    const auto* have = ns.address(address.cidr.address());
    const auto* link = have == nullptr ? nullptr : ns.link(have->link);
    if (link == nullptr || !link->up || is_unplugged(ip, *link, seen)) return false;
    return have->cidr.prefix() != address.cidr.prefix() || link->name != device || !link_fits(ip, *link, seen) ||
           (ip.mtu && *ip.mtu != link->mtu) || (ip.macaddr && ip.macaddr != link->mac);
  });
}

std::vector<std::string> extra_addresses(const Service& service, const ObservedContainer& container,
                                         const std::set<IpAddress>& wanted) {
  std::vector<std::string> out;
  if (container.network_mode != "none" || !container.netns) return out;
  for (const auto& address : container.netns->addresses) {
    const auto* link = container.netns->link(address.link);
    const auto& ip = address.cidr.address();
    if (link == nullptr || ip.is_loopback() || ip.is_link_local() || address.advertised || wanted.contains(ip))
      continue;
    out.push_back(address.cidr.to_string() + " is on " + link->name +
                  " there, and the configuration does not have it; `plumb restart " + service.name + "` withdraws it");
  }
  return out;
}

}  // namespace plumb
