#include "plugin/driver/network_check.h"

#include <algorithm>
#include <optional>
#include <string>

#include "plugin/node/device.h"
#include "specs/service/uplink.h"

namespace plumb::driver {

namespace {

constexpr unsigned kLeastMtuOfV6 = 1280;  // RFC 8200 section 5; the kernel takes IPv6 off a device with less

bool has_family(const NetworkRecord& network, bool v6) {
  return std::any_of(network.subnets.begin(), network.subnets.end(),
                     [v6](const Subnet& subnet) { return subnet.pool.address().is_v6() == v6; });
}

Result<void> check_gateways(const NetworkRecord& network) {
  for (const auto& gateway : network.parsed.gateways) {
    const std::string what = "option -o gateway=" + gateway.to_string() + ": ";
    if (!has_family(network, gateway.is_v6()))
      return Err{ErrorKind::spec,
                 what + "the network has no subnet of IPv" + (gateway.is_v6() ? "6" : "4") + "; add one, or remove it"};
    for (const auto& subnet : network.subnets) {
      if (subnet.pool.address().is_v6() != gateway.is_v6()) continue;
      if (subnet.gateway && subnet.gateway != gateway)
        return Err{ErrorKind::spec, what + "subnet " + subnet.pool.to_string() + " has the gateway " +
                                        subnet.gateway->to_string() + " already; give one of them"};
    }
  }
  for (const auto& subnet : network.subnets)
    if (subnet.gateway && subnet.gateway == subnet.pool.broadcast())
      return Err{ErrorKind::spec, "--gateway " + subnet.gateway->to_string() + ": it is the broadcast address of " +
                                      subnet.pool.to_string() + ", and no machine's"};
  return {};
}

Result<std::optional<unsigned>> mtu_of_parent(const IpResource& link) {
  auto node = TRY(open_node());
  auto device = TRY(device_named(node, uplink(link)));
  const auto vlan = vlan_device(link);
  if (!device && vlan) device = TRY(device_named(node, vlan->lower));
  return device ? std::optional(device->mtu) : std::nullopt;
}

Result<void> check_mtu(const NetworkRecord& network, IpMode mode) {
  const auto& link = network.parsed.link;
  const auto parents = mode == IpMode::ovs ? std::nullopt : TRY(mtu_of_parent(link));
  if (link.mtu && parents && *link.mtu > *parents && (mode == IpMode::macvlan || is_ipvlan(mode)))
    return Err{ErrorKind::refused, "option -o mtu=" + std::to_string(*link.mtu) + ": " + uplink(link) + " has " +
                                       std::to_string(*parents) + ", and what is upon it no more"};
  const auto its = link.mtu && mode != IpMode::dedicated ? link.mtu : parents;
  if (its && *its < kLeastMtuOfV6 && has_family(network, true))
    return Err{ErrorKind::refused, "an MTU of " + std::to_string(*its) + " on " + uplink(link) +
                                       " is too small for IPv6, which needs " + std::to_string(kLeastMtuOfV6) +
                                       "; leave --ipv6 out, or choose a larger one"};
  return {};
}

}  // namespace

Result<void> check_network(const NetworkRecord& network, IpMode mode) {
  TRY(check_gateways(network));
  return check_mtu(network, mode);
}

}  // namespace plumb::driver
