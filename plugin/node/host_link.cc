#include "plugin/node/host_link.h"

#include <algorithm>

#include "netns/address/address.h"
#include "netns/address/neighbour.h"
#include "netns/address/route.h"
#include "netns/address/sysctl.h"
#include "netns/link/upper_link.h"
#include "plugin/node/device.h"
#include "specs/plan/host_access.h"
#include "specs/service/uplink.h"

namespace plumb {

namespace {

std::optional<Mac> mac_beside(const netns::Link& parent) {
  return parent.mac ? std::optional(host_link_mac(*parent.mac)) : std::nullopt;
}

// The link on the parent, made or mended: a killed run may have left it half made.
Result<netns::Link> host_link_on(netns::RouteSocket& socket, const netns::Link& parent, IpMode mode, bool v6) {
  const auto name = TRY(IfName::parse(host_link_name(parent.index)));
  auto link = TRY(netns::find_link(socket, name));
  const bool fresh = !link;
  if (!link && is_ipvlan(mode))
    link = TRY(netns::create_ipvlan(socket, socket, {parent.index, name, kernel_mode(mode), {}, false}));
  if (!link) link = TRY(netns::create_macvlan(socket, socket, {parent.index, name, mac_beside(parent), {}, false}));
  if (link->kind != (is_ipvlan(mode) ? "ipvlan" : "macvlan"))
    return Err{ErrorKind::exists, "make " + name.str() + ": the node has a device of that name, of another kind",
               "rename that device"};
  const std::array<netns::SysctlValue, 1> filter{{{netns::Sysctl::arp_filter, 1}}};
  TRY(netns::write_sysctls(socket.ns(), name, filter));
  // IPv6 only where a service needs it: with an address of the link's own, to ask neighbours from, at once, and with
  // nothing from routers.
  const std::array<netns::SysctlValue, 4> plain{{{netns::Sysctl::accept_ra, 0},
                                                 {netns::Sysctl::autoconf, 0},
                                                 {netns::Sysctl::accept_dad, 0},
                                                 {netns::Sysctl::disable_ipv6, v6 ? 0 : 1}}};
  if (v6 || fresh)
    if (auto written = netns::write_sysctls(socket.ns(), name, plain);
        !written && (v6 || written.error().kind != ErrorKind::not_found))  // a kernel without IPv6
      return Err{std::move(written).error()};
  if (!link->up) TRY(netns::set_up(socket, link->index));
  return *std::move(link);
}

// The node's addresses on the parent, of that family, that others can reach.
Result<std::vector<Cidr>> addresses_on(netns::RouteSocket& socket, const netns::Link& parent, bool v6) {
  std::vector<Cidr> out;
  for (const auto& have : TRY(netns::addresses(socket, parent.index, v6 ? netns::Family::v6 : netns::Family::v4)))
    if (!have.cidr.address().is_link_local()) out.push_back(have.cidr);
  return out;
}

// The one that the node is to be seen with: one of the same subnet, else the first.
std::optional<IpAddress> source_of(const std::vector<Cidr>& own, const IpAddress& address) {
  for (const auto& cidr : own)
    if (cidr.contains(address)) return cidr.address();
  return own.empty() ? std::nullopt : std::optional<IpAddress>(own.front().address());
}

Result<netns::Route> host_route(const IpAddress& address, int link) {
  const Cidr alone = TRY(Cidr::make(address, address.bits()));
  return netns::Route{alone, {}, link, netns::kMainTable, {}, {}};
}

}  // namespace

Result<HostSide> grant_host_route(netns::RouteSocket& node, const netns::Link& parent, IpMode mode,
                                  const IpAddress& address, const std::optional<Mac>& owner) {
  const auto link = TRY(host_link_on(node, parent, mode, address.is_v6()));
  HostSide host;
  host.addresses = TRY(addresses_on(node, parent, address.is_v6()));
  if (!is_routed(mode)) host.mac = link.mac;
  auto route = TRY(host_route(address, link.index));
  route.source = source_of(host.addresses, address);
  // Before the route: with that the node may ask. Ipvlans have the MAC of the node, and tell nobody of another.
  if (owner && !is_ipvlan(mode) && !address.is_v6()) TRY(netns::set_neighbour(node, link.index, address, *owner));
  TRY(netns::replace_route(node, route));
  return host;
}

Result<void> take_host_route(netns::RouteSocket& node, int parent, const IpAddress& address) {
  const auto link = TRY(device_named(node, host_link_name(parent)));
  if (!link || (link->kind != "macvlan" && link->kind != "ipvlan")) return {};
  const auto route = TRY(host_route(address, link->index));
  TRY(netns::remove_route(node, route));
  TRY(netns::remove_neighbour(node, link->index, address));
  for (const auto& left : TRY(netns::routes(node, {netns::Family::any, netns::kMainTable, link->index})))
    if (left.destination.prefix() == left.destination.address().bits()) return {};  // another address is still there
  return netns::remove_link(node, link->index);
}

Result<void> tell_neighbours(netns::RouteSocket& inside, int device, const HostSide& host) {
  if (!host.mac) return {};
  for (const auto& cidr : host.addresses)
    if (cidr.address().is_v6()) TRY(netns::set_neighbour(inside, device, cidr.address(), *host.mac));
  return {};
}

}  // namespace plumb
