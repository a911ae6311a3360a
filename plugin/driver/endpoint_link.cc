#include "plugin/driver/endpoint_link.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <span>

#include "netns/address/address.h"
#include "netns/address/sysctl.h"
#include "netns/link/carrier.h"
#include "netns/link/moved_link.h"
#include "netns/link/upper_link.h"
#include "netns/namespace/enter.h"
#include "plugin/daemon/descriptor_limit.h"
#include "plugin/node/bridge_port.h"
#include "plugin/node/dedicated_device.h"
#include "plugin/node/device.h"
#include "plugin/node/open_vswitch.h"
#include "plugin/node/service_lock.h"
#include "plugin/node/vlan_use.h"
#include "specs/service/uplink.h"

namespace plumb::driver {

namespace {

constexpr std::string_view kAliasBegin = "plumb endpoint ";
constexpr std::string_view kEngineService = "docker";  // whose ports and VLAN devices the driver's are
// While it is on the node and up, a link answers for none of the node's addresses, and has none.
constexpr std::array<netns::SysctlValue, 2> kQuiet{{{netns::Sysctl::disable_ipv6, 1}, {netns::Sysctl::arp_ignore, 1}}};
constexpr unsigned kOwnMetric = 2048;                // the kernel's, which the engine's routes have, is 1024 at most
constexpr std::chrono::seconds kCarrierDeadline{5};  // the engine waits with the container's lock held

// Of a driver that was killed before it could say so: nobody else makes such a device of that name.
bool is_unmarked(const netns::Link& link) {
  return link.alias.empty() && (link.kind == "macvlan" || link.kind == "ipvlan" || link.kind == "veth");
}

// A pair's node end on its bridge, up; the other end, which the container gets, down beside it.
Result<int> make_pair(netns::RouteSocket& node, const NetworkRecord& network, const EndpointRecord& endpoint) {
  const auto& link = network.parsed.link;
  const auto name = TRY(IfName::parse(endpoint.device));
  const auto outer = TRY(IfName::parse(endpoint.outer));
  const auto pair = TRY(make_bridge_port(
      node, node,
      {outer, "plumb port of " + endpoint.id, endpoint.mode, endpoint.uplink, name, endpoint.mac, link.mtu, false}));
  if (endpoint.mode == IpMode::ovs) {
    auto added = add_switch_port(
        {std::string(kEngineService), endpoint.id, endpoint.uplink, endpoint.outer, link.vlan_tag, link.vlan_mode});
    if (!added) {
      TRY(netns::remove_link(node, pair.host.index));
      return Err{std::move(added).error()};
    }
  }
  return pair.target.index;
}

Result<int> make_upper(netns::RouteSocket& node, const NetworkRecord& network, const EndpointRecord& endpoint) {
  const auto& link = network.parsed.link;
  const auto parent = TRY(need_link(node, endpoint.uplink));
  const auto name = TRY(IfName::parse(endpoint.device));
  const auto made =
      is_ipvlan(endpoint.mode)
          ? TRY(netns::create_ipvlan(node, node, {parent.index, name, kernel_mode(endpoint.mode), link.mtu, false}))
          : TRY(netns::create_macvlan(node, node, {parent.index, name, endpoint.mac, link.mtu, false}));
  return made.index;
}

// A kernel without IPv6 has no such sysctl.
Result<void> write_if_known(const netns::Namespace& ns, const IfName& device, const netns::SysctlValue& value) {
  auto written = netns::write_sysctls(ns, device, std::span(&value, 1));
  if (!written && written.error().kind != ErrorKind::not_found) return written;
  return {};
}

// One that never left the node: a move into a container and back would have made it forget what make_audible() wrote.
Result<void> give_back_at_home(netns::RouteSocket& node, const netns::Link& device, const DedicatedMark& was) {
  TRY(give_back(node, node, device.index, was));
  const auto name = TRY(IfName::parse(was.device));
  const auto defaults = TRY(IfName::parse("default"));
  for (const auto& quiet : kQuiet) {
    const auto usual = netns::read_sysctl(node.ns(), defaults, quiet.key);
    if (usual) TRY(write_if_known(node.ns(), name, {quiet.key, *usual}));
  }
  return {};
}

// A node may have a thousand links, and only the engine gives one of the driver's another name, in the container: it is
// looked for by its name, and among all of them only where nothing has it.
Result<std::optional<netns::Link>> named_link_of(netns::RouteSocket& socket, const EndpointRecord& endpoint) {
  if (endpoint.was) return std::optional<netns::Link>{};
  auto link = TRY(device_named(socket, endpoint.device));
  if (link && link->alias != link_alias(endpoint.id)) link.reset();
  return link;
}

Result<std::optional<netns::Namespace>> sandbox_of(const EndpointRecord& endpoint) {
  if (endpoint.sandbox.empty()) return std::optional<netns::Namespace>{};
  auto sandbox = netns::Namespace::from_path(endpoint.sandbox);
  if (sandbox) return std::optional(*std::move(sandbox));
  if (sandbox.error().kind == ErrorKind::not_found) return std::optional<netns::Namespace>{};
  return Err{std::move(sandbox).error()};
}

// The kernel's own errors are those of the look; who cannot get in has seen nothing.
Result<EndpointSight> sight_inside(const netns::Namespace& sandbox, const EndpointRecord& endpoint,
                                   const std::function<void(netns::RouteSocket&, const netns::Link&)>& inside) {
  const EndpointSight unknown{.where = Whereabouts::unknown};
  std::optional<Result<std::optional<netns::Link>>> found;
  const auto entered = netns::run_in(sandbox, [&]() -> Result<void> {
    auto socket = TRY(netns::RouteSocket::open(sandbox));
    found.emplace(link_of(socket, endpoint));
    if (inside && *found && **found) inside(socket, ***found);
    return {};
  });
  if (!entered && is_scarcity(entered.error())) return Err{entered.error()};
  if (!entered || !found) return unknown;
  auto link = TRY(*std::move(found));
  if (!link) return EndpointSight{};
  return EndpointSight{Whereabouts::sandbox, std::move(link)};
}

}  // namespace

std::string link_name(std::string_view endpoint) { return "pe" + std::string(endpoint.substr(0, 12)); }
std::string network_vlan_user(const std::string& network) { return vlan_user(std::string(kEngineService), network); }
std::string link_alias(std::string_view endpoint) { return std::string(kAliasBegin) + std::string(endpoint); }

Result<std::optional<netns::Link>> link_of(netns::RouteSocket& socket, const EndpointRecord& endpoint) {
  if (auto named = TRY(named_link_of(socket, endpoint))) return named;
  if (endpoint.was) return find_marked(socket, *endpoint.was);
  for (auto& link : TRY(netns::links(socket)))
    if (link.alias == link_alias(endpoint.id)) return std::optional(std::move(link));
  return std::optional<netns::Link>{};
}

Result<void> ready_uplink(const NetworkRecord& network) {
  const auto vlan = vlan_device(network.parsed.link);
  if (!vlan) return {};
  auto node = TRY(open_node());
  const auto shared = TRY(lock_node_links());
  const auto there = TRY(device_named(node, vlan->name));
  if (there && network.parsed.link.vlan_tag) TRY(check_is_vlan(node, *vlan, *there));
  return join_vlan(node, *vlan, network_vlan_user(network.id));
}

Result<void> make_endpoint_link(const NetworkRecord& network, const EndpointRecord& endpoint) {
  auto node = TRY(open_node());
  const auto there = TRY(device_named(node, endpoint.device));
  if (endpoint.was) {
    if (!there) return Err{ErrorKind::not_found, "find device " + endpoint.device + ": no such device"};
    return netns::set_alias(node, there->index, endpoint.was->to_string());
  }
  // Of a driver that was killed here: made again, since it may lack a part.
  if (there) TRY(remove_endpoint_link(endpoint));
  const bool pair = !endpoint.outer.empty();
  const int index = pair ? TRY(make_pair(node, network, endpoint)) : TRY(make_upper(node, network, endpoint));
  auto marked = netns::set_alias(node, index, link_alias(endpoint.id));
  if (!marked) static_cast<void>(remove_endpoint_link(endpoint));  // what it says is less than why
  return marked;
}

Result<void> make_audible(const EndpointRecord& endpoint) {
  const auto own = TRY(netns::Namespace::current());
  auto node = TRY(netns::RouteSocket::open(own));
  const auto device = TRY(need_link(node, endpoint.device));
  for (const auto& quiet : kQuiet) TRY(write_if_known(own, device.name, quiet));
  TRY(netns::set_up(node, device.index));
  return netns::wait_carrier(node, device.index, std::chrono::steady_clock::now() + kCarrierDeadline, {});
}

Result<void> withhold_endpoint_link(const EndpointRecord& endpoint) {
  if (!endpoint.was) return remove_endpoint_link(endpoint);
  auto node = TRY(open_node());
  const auto device = TRY(link_of(node, endpoint));
  if (!device) return {};
  const auto hidden = TRY(IfName::parse(link_name(endpoint.id)));
  TRY(netns::set_up(node, device->index, false));  // its name can change
  TRY(netns::move_link(node, node, {device->index, hidden, device->alias, {}, {}, false}));
  return {};
}

Result<std::vector<HostSide>> grant_endpoint_access(const EndpointRecord& endpoint) {
  auto node = TRY(open_node());
  const auto shared = TRY(lock_node_links());
  const auto parent = TRY(need_link(node, endpoint.uplink));
  std::vector<HostSide> out;
  for (const auto& cidr : endpoint.addresses)
    out.push_back(TRY(grant_host_route(node, parent, endpoint.mode, cidr.address(), endpoint.mac)));
  return out;
}

Result<void> take_endpoint_access(const EndpointRecord& endpoint) {
  auto node = TRY(open_node());
  const auto shared = TRY(lock_node_links());
  const auto parent = TRY(device_named(node, endpoint.uplink));
  if (!parent) return {};
  for (const auto& cidr : endpoint.addresses) TRY(take_host_route(node, parent->index, cidr.address()));
  return {};
}

Result<void> remove_endpoint_link(const EndpointRecord& endpoint) {
  auto node = TRY(open_node());
  if (endpoint.mode == IpMode::ovs) TRY(release_switch_ports(std::string(kEngineService), endpoint.id));
  auto sandbox = sandbox_of(endpoint);
  // One that is physical, and whose container died, has come home under another name.
  if (const auto home = TRY(link_of(node, endpoint)))
    return endpoint.was ? give_back_at_home(node, *home, *endpoint.was) : netns::remove_link(node, home->index);
  if (!endpoint.was) {
    const auto begun = TRY(device_named(node, endpoint.device));
    if (begun && is_unmarked(*begun)) return netns::remove_link(node, begun->index);
  }
  // The engine has not brought it back: it was killed. What it does not know any more must not answer.
  if (!sandbox) {
    if (endpoint.was) return Err{std::move(sandbox).error()};  // found again once it falls back to the node
    // Nothing can be done there, and nobody asks again: a record that stays would only keep its address from others. If
    // it is still answered for, a probe tells.
    std::fprintf(stderr, "plumb driver: endpoint %.12s: forgotten without its link: %s\n", endpoint.id.c_str(),
                 sandbox.error().what.c_str());
    return {};
  }
  if (!*sandbox) return {};
  auto inside = TRY(netns::RouteSocket::open(**sandbox));
  const auto left = TRY(link_of(inside, endpoint));
  if (!left) return {};
  return endpoint.was ? give_back(inside, node, left->index, *endpoint.was) : netns::remove_link(inside, left->index);
}

Result<void> remove_unknown_link(std::string_view endpoint) {
  auto node = TRY(open_node());
  const auto link = TRY(device_named(node, link_name(endpoint)));
  if (!link || link->alias != link_alias(endpoint)) return {};
  // On no bridge of the kernel's: on one of Open vSwitch's, then, whose database outlives the link.
  const auto outer = TRY(device_named(node, endpoint_port_name(endpoint)));
  if (outer && outer->master == 0) TRY(release_switch_ports(std::string(kEngineService), std::string(endpoint)));
  return netns::remove_link(node, link->index);
}

Result<EndpointSight> visit_endpoint_link(const EndpointRecord& endpoint,
                                          const std::function<void(netns::RouteSocket&, const netns::Link&)>& inside) {
  auto node = TRY(open_node());
  if (auto named = TRY(named_link_of(node, endpoint))) return EndpointSight{Whereabouts::node, std::move(named)};
  EndpointSight sight;
  const auto sandbox = sandbox_of(endpoint);
  if (!sandbox && is_scarcity(sandbox.error())) return Err{sandbox.error()};
  if (!sandbox)
    sight.where = Whereabouts::unknown;
  else if (*sandbox)
    sight = TRY(sight_inside(**sandbox, endpoint, inside));
  if (sight.where == Whereabouts::sandbox) return sight;
  if (auto home = TRY(link_of(node, endpoint))) return EndpointSight{Whereabouts::node, std::move(home)};
  return sight;
}

Result<Whereabouts> find_endpoint_link(const EndpointRecord& endpoint) {
  return TRY(visit_endpoint_link(endpoint, {})).where;
}

netns::Route own_route(const OwnRoute& route, int ifindex) {
  netns::Route out{route.destination, route.gateway, ifindex, netns::kMainTable, {}, {}};
  out.metric = kOwnMetric + static_cast<unsigned>(ifindex);
  out.onlink = route.onlink;
  return out;
}

Result<std::vector<std::string>> endpoints_on_node() {
  auto node = TRY(open_node());
  std::vector<std::string> out;
  for (const auto& link : TRY(netns::links(node))) {
    if (!link.alias.starts_with(kAliasBegin)) continue;
    std::string id = link.alias.substr(kAliasBegin.size());
    if (link.name.str() == link_name(id)) out.push_back(std::move(id));  // an alias alone proves nothing
  }
  return out;
}

}  // namespace plumb::driver
