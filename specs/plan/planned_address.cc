#include "specs/plan/planned_address.h"

#include <algorithm>

#include "specs/service/uplink.h"

namespace plumb {

namespace {

Result<std::vector<IpAddress>> resolve(const IpResource& ip, const IpName& name, const Observed& seen) {
  if (const auto* literal = name.address()) return std::vector<IpAddress>{*literal};
  const std::string& host = *name.host();
  if (const auto found = seen.names.find(host); found != seen.names.end() && !found->second.empty())
    return found->second;
  const auto error = seen.name_errors.find(host);
  return Err{ErrorKind::not_found,
             ip.id + ": ipname " + host + ": " +
                 (error == seen.name_errors.end() ? std::string("not resolved") : error->second.what),
             "put the name into DNS or /etc/hosts of " + std::string("this node, or write the address itself")};
}

Result<unsigned> prefix_for(const IpResource& ip, const IpAddress& address, const Observed& seen) {
  if (const auto& given = address.is_v6() ? ip.netmask_v6 : ip.netmask_v4) return *given;
  if (const auto* giver = netmask_giver(ip, address, seen)) return giver->cidr.prefix();
  return Err{ErrorKind::spec,
             ip.id + ": no netmask is given for " + address.to_string() + ", and " + uplink(ip) + " has no " +
                 (address.is_v6() ? "IPv6" : "IPv4") + " address to take it from",
             "add netmask = <length> to [" + ip.id + "]"};
}

}  // namespace

std::string planned_device(const Service& service, const IpResource& ip) {
  if (ip.nsdev) return ip.nsdev->str();
  const auto taken = [&](const std::string& name) {
    return std::any_of(service.ips.begin(), service.ips.end(), [&](const IpResource& other) {
      return other.netns == ip.netns && other.nsdev && other.nsdev->str() == name;
    });
  };
  unsigned number = 0;
  const auto next_free = [&] {
    while (taken("eth" + std::to_string(number))) ++number;
    return "eth" + std::to_string(number++);
  };
  for (const auto& other : service.ips) {
    if (other.netns != ip.netns || other.nsdev || other.disable) continue;
    auto name = next_free();
    if (other.id == ip.id) return name;
  }
  return next_free();
}

const ObservedAddress* netmask_giver(const IpResource& ip, const IpAddress& address, const Observed& seen) {
  if (address.is_v6() ? ip.netmask_v6 : ip.netmask_v4) return nullptr;
  const ObservedNetns* home = &seen.node;
  if (ip.type == IpType::encap) {
    const auto owner = seen.containers.find(ip.netns);
    home = owner == seen.containers.end() || !owner->second.netns ? nullptr : &*owner->second.netns;
  }
  const auto* parent = home == nullptr ? nullptr : home->link(uplink(ip));
  if (parent == nullptr) return nullptr;
  const auto gives = [&](const ObservedAddress& a) {
    return a.link == parent->index && a.cidr.address().is_v6() == address.is_v6() &&
           !(address.is_v6() && a.cidr.address().is_link_local()) && a.cidr.address() != address;
  };
  const auto found = std::find_if(home->addresses.begin(), home->addresses.end(), gives);
  return found == home->addresses.end() ? nullptr : &*found;
}

Result<std::vector<IpAddress>> resolved_addresses(const IpResource& ip, const Observed& seen) {
  std::vector<IpAddress> out;
  for (const auto& name : ip.names) {
    const auto some = TRY(resolve(ip, name, seen));
    out.insert(out.end(), some.begin(), some.end());
  }
  return out;
}

Result<std::vector<PlannedAddress>> planned_addresses(const IpResource& ip, const Observed& seen) {
  std::vector<PlannedAddress> out;
  for (const auto& address : TRY(resolved_addresses(ip, seen))) {
    const unsigned prefix = TRY(prefix_for(ip, address, seen));
    const Cidr cidr = TRY(Cidr::make(address, prefix));
    std::optional<IpAddress> gateway;
    const bool direct = ip.type == IpType::netns && is_routed(ip.mode) && !ip.has_tag("nonrouted");
    if (ip.type == IpType::netns && ip.gateway && !is_routed(ip.mode) && ip.gateway->is_v6() == address.is_v6()) {
      // A link-local gateway is on the link whatever the prefix says (RFC 4861 section 4.2).
      // That of a host alone (/32, /128) has no subnet to be in.
      if (!cidr.contains(*ip.gateway) && !ip.gateway->is_link_local() && prefix != address.bits())
        return Err{ErrorKind::spec,
                   ip.id + ": gateway " + ip.gateway->to_string() + " is not in the subnet of " + cidr.to_string(),
                   "correct gateway or netmask in [" + ip.id + "]"};
      gateway = ip.gateway;
    }
    out.push_back({cidr, gateway, direct});
  }
  return out;
}

}  // namespace plumb
