#include "plugin/driver/record/way_out.h"

#include <algorithm>

#include "specs/service/uplink.h"

namespace plumb::driver {

namespace {

Cidr everything(bool v6) { return Cidr::make(v6 ? IpAddress::any_v6() : IpAddress::any_v4(), 0).value(); }

// On the link without a route of its own.
bool is_near(const EndpointRecord& endpoint, const IpAddress& gateway) {
  if (gateway.is_v6() && gateway.is_link_local()) return true;
  return std::any_of(endpoint.addresses.begin(), endpoint.addresses.end(),
                     [&](const Cidr& cidr) { return cidr.contains(gateway); });
}

}  // namespace

std::optional<IpAddress> gateway_of(const NetworkRecord& network, const IpAddress& address) {
  for (const auto& gateway : network.parsed.gateways)
    if (gateway.is_v6() == address.is_v6()) return gateway;
  const Subnet* its = nullptr;
  for (const auto& subnet : network.subnets)
    if (subnet.pool.contains(address) && (its == nullptr || its->pool.prefix() < subnet.pool.prefix())) its = &subnet;
  return its == nullptr ? std::nullopt : its->gateway;
}

WayOut way_out(const NetworkRecord& network, const EndpointRecord& endpoint) {
  WayOut out;
  if (network.internal) return out;
  for (const auto& cidr : endpoint.addresses) {
    const bool v6 = cidr.address().is_v6();
    const auto gateway = is_routed(endpoint.mode) ? std::nullopt : gateway_of(network, cidr.address());
    if (is_routed(endpoint.mode))
      out.own.push_back({everything(v6), {}, false});
    else if (gateway && is_near(endpoint, *gateway))
      (v6 ? out.gateway_v6 : out.gateway_v4) = gateway;
    else if (gateway)
      out.own.push_back({everything(v6), gateway, true});
  }
  if (out.gateway_v4 || !out.gateway_v6) return out;
  out.own.push_back({everything(true), out.gateway_v6, false});
  out.gateway_v6.reset();
  return out;
}

}  // namespace plumb::driver
