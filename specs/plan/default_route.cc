#include "specs/plan/default_route.h"

#include <algorithm>

#include "specs/service/uplink.h"

namespace plumb {

namespace {

bool leads_out(const IpResource& ip, bool v6) {
  if (ip.type != IpType::netns || ip.disable) return false;
  return is_routed(ip.mode) ? !ip.has_tag("nonrouted") : ip.gateway && ip.gateway->is_v6() == v6;
}

}  // namespace

bool has_neighbour_link(const Service& service, const IpResource& ip) {
  if (ip.type != IpType::netns || is_routed(ip.mode)) return false;
  return std::any_of(service.ips.begin(), service.ips.end(), [&](const IpResource& other) {
    return other.type == IpType::netns && other.netns == ip.netns && !other.disable &&
           planned_device(service, other) != planned_device(service, ip);
  });
}

bool has_main_route(const Service& service, const IpResource& ip, bool v6) {
  if (!has_neighbour_link(service, ip)) return true;
  const auto first = std::find_if(service.ips.begin(), service.ips.end(), [&](const IpResource& other) {
    return other.netns == ip.netns && leads_out(other, v6);
  });
  return first == service.ips.end() || first->id == ip.id;
}

bool has_planned_route(const Service& service, const IpResource& ip, const ObservedNetns& ns,
                       const PlannedAddress& address) {
  if (!address.gateway && !address.direct) return true;
  const bool v6 = address.cidr.address().is_v6();
  const auto* link = ns.link(planned_device(service, ip));
  const auto is_there = [&](bool own) {
    return std::any_of(ns.routes.begin(), ns.routes.end(), [&](const ObservedRoute& r) {
      return !r.destination && r.gateway == address.gateway && r.v6 == v6 && r.own == own &&
             (!own || (link != nullptr && r.link == link->index));
    });
  };
  if (has_main_route(service, ip, v6) && !is_there(false)) return false;
  return !address.gateway || !has_neighbour_link(service, ip) || is_there(true);
}

}  // namespace plumb
