#include "specs/plan/address_planner.h"

#include <algorithm>

#include "specs/plan/default_route.h"
#include "specs/plan/host_access.h"
#include "specs/plan/parent_link.h"
#include "specs/plan/plumbed.h"
#include "specs/service/uplink.h"

namespace plumb {

bool AddressPlanner::probed_inside(const IpResource& ip) const {
  return ip.type == IpType::encap || (ip.type == IpType::netns && probed_from_link(planned_mode(ip, seen_)));
}

Place AddressPlanner::heard_from(const IpResource& ip) const {
  return probed_inside(ip) ? place_of(service_, ip) : Place{{}, uplink(ip)};
}

// The VLAN device that the ip is on, when it is missing, or when it is plumb's and does not know yet that this ip uses
// it.
std::optional<std::size_t> AddressPlanner::vlan(const IpResource& ip) {
  const auto device = vlan_device(ip);
  if (!device) return std::nullopt;
  if (const auto found = vlans_.find(ip.id); found != vlans_.end()) return found->second;
  if (const auto* have = seen_.node.link(device->name)) {
    const auto& users = have->vlan_users;
    if (have->group != kVlanGroup ||
        std::find(users.begin(), users.end(), vlan_user(service_.name, ip.id)) != users.end())
      return std::nullopt;
  }
  return vlans_[ip.id] = out_.add(Step(VlanTake{*device}, ip));
}

std::optional<std::size_t> AddressPlanner::probe(const IpResource& ip, const PlannedAddress& address,
                                                 const std::optional<std::size_t>& link) {
  if (request_) return request_;
  // Where nobody has a MAC, on lo and in tunnels, nobody can be asked.
  const auto* device = ip.type == IpType::host ? seen_.node.link(uplink(ip)) : nullptr;
  if (device != nullptr && !device->mac) return std::nullopt;
  if (ip.probe == ProbeProfile::off || seen_.probed_free.contains(address.cidr.address())) return std::nullopt;
  Step step(AddressProbe{heard_from(ip), address.cidr.address(), address.gateway}, ip);
  step.after = probe_after_;
  depend(step.after, vlan(ip));
  if (probed_inside(ip)) depend(step.after, link);
  return out_.add(std::move(step));
}

std::vector<std::size_t> AddressPlanner::plumb(const IpResource& ip, const std::vector<PlannedAddress>& addresses,
                                               const ObservedNetns* ns, const std::vector<std::size_t>& base) {
  std::optional<std::size_t> link_step;
  if (ip.type == IpType::netns) link_step = link(ip, ns, base);
  std::vector<std::size_t> last;
  for (const auto& one : addresses)
    if (const auto step = address(ip, one, ns, link_step, base)) last.push_back(*step);
  return last;
}

// The link, when the namespace does not have it. One under its name that is no link of this ip's kind on this ip's
// parent was left by a killed start of another configuration.
std::optional<std::size_t> AddressPlanner::link(const IpResource& ip, const ObservedNetns* ns,
                                                const std::vector<std::size_t>& base) {
  const Place place = place_of(service_, ip);
  const std::string key = ip.netns + " " + place.device;
  if (const auto shared = links_.find(key); shared != links_.end()) return shared->second;
  Step create(LinkCreate{place, uplink(ip), planned_mode(ip, seen_)}, ip);
  create.after = base;
  depend(create.after, request_);
  depend(create.after, vlan(ip));
  if (ns != nullptr) {
    if (const auto* have = ns->link(place.device)) {
      if (link_fits(ip, *have, seen_) && have->up && !is_unplugged(ip, *have, seen_)) return std::nullopt;
      create.after.push_back(out_.add(Step(LinkRemoveStale{place}, ip)));
    }
  }
  const std::size_t index = out_.add(std::move(create));
  links_[key] = index;
  return index;
}

std::optional<std::size_t> AddressPlanner::address(const IpResource& ip, const PlannedAddress& address,
                                                   const ObservedNetns* ns, const std::optional<std::size_t>& link,
                                                   const std::vector<std::size_t>& base) {
  const Place place = place_of(service_, ip);
  const IpAddress& bare = address.cidr.address();
  if (seen_.withheld.contains(bare)) return link;
  const bool fresh_link = link.has_value() || ns == nullptr;
  const bool present = !fresh_link && ns->address(bare) != nullptr;
  std::optional<std::size_t> last = link;
  if (!present) {
    Step add(AddressAdd{place, address.cidr}, ip);
    add.after = base;
    depend(add.after, link);
    depend(add.after, vlan(ip));
    depend(add.after, probe(ip, address, link));
    last = out_.add(std::move(add));
  }
  // A new link has another MAC than the node was told of one before it.
  if (lacks_host_access(ip, bare, seen_) || (fresh_link && wants_host_access(ip, seen_))) {
    Step grant(HostAccessGrant{place, uplink(ip), planned_mode(ip, seen_), bare}, ip);
    grant.after = base;
    depend(grant.after, last);
    out_.add(std::move(grant));
  }
  if ((address.gateway || address.direct) && (fresh_link || !has_planned_route(service_, ip, *ns, address))) {
    Step route(RouteSet{place, bare.is_v6(), address.gateway, has_main_route(service_, ip, bare.is_v6())}, ip);
    route.after = base;
    depend(route.after, last);
    last = out_.add(std::move(route));
  }
  const bool heard = !is_routed(ip.mode) || ip.type != IpType::netns;
  if ((!present || seen_.after_a_kill) && ip.announce.count > 0 && heard) {
    Step announce(AddressAnnounce{place, bare, address.gateway}, ip);
    depend(announce.after, last);
    last = out_.add(std::move(announce));
  }
  return last;
}

}  // namespace plumb
