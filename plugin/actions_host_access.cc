// The node's own way to addresses on macvlans and ipvlans: one more of them on the same parent, in the node's
// namespace, with a route for each address. It has no address of its own; the node's are used. So that it does not
// answer the LAN for them beside the parent, it answers only who is reached through it (arp_filter,
// Documentation/networking/ip-sysctl.rst).
#include <array>

#include "netns/address.h"
#include "netns/link.h"
#include "netns/neighbour.h"
#include "netns/route.h"
#include "netns/sysctl.h"
#include "plugin/actions.h"
#include "plugin/service_lock.h"
#include "specs/planner.h"
#include "specs/uplink.h"

namespace plumb {

namespace {

// The link on the parent, made or mended: a killed run may have left it half made.
Result<netns::Link> host_link_on(const netns::Namespace& node, netns::RouteSocket& socket, const netns::Link& parent,
                                 IpMode mode, bool v6) {
  const auto name = TRY(IfName::parse(host_link_name(parent.index)));
  auto link = TRY(netns::find_link(socket, name));
  const bool fresh = !link;
  if (!link && is_ipvlan(mode))
    link = TRY(netns::create_ipvlan(socket, socket, {parent.index, name, kernel_mode(mode), {}, false}));
  if (!link) link = TRY(netns::create_macvlan(socket, socket, {parent.index, name, {}, {}, false}));
  if (link->kind != (is_ipvlan(mode) ? "ipvlan" : "macvlan"))
    return Err{ErrorKind::exists, "make " + name.str() + ": the node has a device of that name, of another kind",
               "rename that device"};
  const std::array<netns::SysctlValue, 1> filter{{{netns::Sysctl::arp_filter, 1}}};
  TRY(netns::write_sysctls(node, name, filter));
  // IPv6 only where a service needs it: with an address of the link's own, to ask neighbours from, at once, and with
  // nothing from routers.
  const std::array<netns::SysctlValue, 4> plain{{{netns::Sysctl::accept_ra, 0},
                                                 {netns::Sysctl::autoconf, 0},
                                                 {netns::Sysctl::accept_dad, 0},
                                                 {netns::Sysctl::disable_ipv6, v6 ? 0 : 1}}};
  if (v6 || fresh)
    if (auto written = netns::write_sysctls(node, name, plain);
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
  return netns::Route{alone, {}, link, netns::main_table, {}, {}};
}

}  // namespace

Result<void> Actions::grant_host_access(const Step& step) {
  const auto node = TRY(place({}));
  const auto shared = TRY(lock_node_links());
  const std::lock_guard lock(node->mutex);
  const auto parent = TRY(need_link(*node->socket, step.parent));
  const IpAddress address = step.cidr->address();
  book(step, [node, index = parent.index, address]() -> Result<void> {
    const auto mine = TRY(lock_node_links());
    const std::lock_guard inside(node->mutex);
    return take_host_route(*node, index, address);
  });
  const auto link = TRY(host_link_on(*node->ns, *node->socket, parent, step.mode, address.is_v6()));
  const auto own = TRY(addresses_on(*node->socket, parent, address.is_v6()));
  // The service finds the node's IPv4 addresses by itself, since the link answers for them. For IPv6 a link answers for
  // its own addresses only (ndisc_recv_ns, net/ipv6/ndisc.c), so the service is told.
  if (address.is_v6() && link.mac && !is_routed(step.mode)) {
    const auto inside = TRY(place(step.container));
    const std::lock_guard inside_lock(inside->mutex);
    const auto device = TRY(need_link(*inside->socket, step.device));
    for (const auto& cidr : own) TRY(netns::set_neighbour(*inside->socket, device.index, cidr.address(), *link.mac));
  }
  auto route = TRY(host_route(address, link.index));
  route.source = source_of(own, address);
  return netns::replace_route(*node->socket, route);
}

Result<void> Actions::revoke_host_access(const Step& step) {
  const auto node = TRY(place({}));
  const auto shared = TRY(lock_node_links());
  const std::lock_guard lock(node->mutex);
  const auto parent = TRY(device_named(*node->socket, step.parent));
  if (!parent) return {};
  return take_host_route(*node, parent->index, step.cidr->address());
}

// Both locks are held.
Result<void> Actions::take_host_route(Place& node, int parent, const IpAddress& address) {
  const auto link = TRY(device_named(*node.socket, host_link_name(parent)));
  if (!link || (link->kind != "macvlan" && link->kind != "ipvlan")) return {};
  const auto route = TRY(host_route(address, link->index));
  TRY(netns::remove_route(*node.socket, route));
  for (const auto& left : TRY(netns::routes(*node.socket, {netns::Family::any, netns::main_table, link->index})))
    if (left.destination.prefix() == left.destination.address().bits()) return {};  // another address is still there
  return netns::remove_link(*node.socket, link->index);
}

}  // namespace plumb
