#include "plugin/driver/endpoint_link.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>

#include "netns/address/address.h"
#include "netns/address/sysctl.h"
#include "netns/link/carrier.h"
#include "netns/link/upper_link.h"
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
constexpr std::chrono::seconds kCarrierDeadline{5};    // the engine waits with the container's lock held

bool is_ours(const netns::Link& link, const EndpointRecord& endpoint) {
  if (endpoint.was) return link.alias == endpoint.was->to_string();
  return link.alias == link_alias(endpoint.id);
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

Result<std::optional<netns::Namespace>> sandbox_of(const EndpointRecord& endpoint) {
  if (endpoint.sandbox.empty()) return std::optional<netns::Namespace>{};
  auto sandbox = netns::Namespace::from_path(endpoint.sandbox);
  if (sandbox) return std::optional(*std::move(sandbox));
  if (sandbox.error().kind == ErrorKind::not_found) return std::optional<netns::Namespace>{};
  return Err{std::move(sandbox).error()};
}

}  // namespace

std::string link_name(std::string_view endpoint) { return "pe" + std::string(endpoint.substr(0, 12)); }
std::string network_vlan_user(const std::string& network) { return vlan_user(std::string(kEngineService), network); }
std::string link_alias(std::string_view endpoint) { return std::string(kAliasBegin) + std::string(endpoint); }

Result<std::optional<netns::Link>> link_of(netns::RouteSocket& socket, const EndpointRecord& endpoint) {
  for (auto& link : TRY(netns::links(socket)))
    if (is_ours(link, endpoint)) return std::optional(std::move(link));
  return std::optional<netns::Link>{};
}

Result<void> ready_uplink(const NetworkRecord& network) {
  const auto vlan = vlan_device(network.parsed.link);
  if (!vlan) return {};
  auto node = TRY(open_node());
  const auto shared = TRY(lock_node_links());
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

Result<void> with_audible_link(const EndpointRecord& endpoint, const std::function<Result<void>()>& what) {
  const auto own = TRY(netns::Namespace::current());
  auto node = TRY(netns::RouteSocket::open(own));
  const auto device = TRY(need_link(node, endpoint.device));
  const std::array<netns::SysctlValue, 1> quiet{{{netns::Sysctl::disable_ipv6, 1}}};
  if (auto written = netns::write_sysctls(own, device.name, quiet);
      !written && written.error().kind != ErrorKind::not_found)
    return Err{std::move(written).error()};
  TRY(netns::set_up(node, device.index));
  auto done = [&]() -> Result<void> {
    TRY(netns::wait_carrier(node, device.index, std::chrono::steady_clock::now() + kCarrierDeadline, {}));
    return what();
  }();
  TRY(netns::set_up(node, device.index, false));
  return done;
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
  const auto home = TRY(device_named(node, endpoint.device));
  if (endpoint.was) {
    if (home) return give_back(node, node, home->index, *endpoint.was);
    // Physical, and its container died: it has come home under another name, and kept its alias.
    if (const auto fallen = TRY(link_of(node, endpoint))) return give_back(node, node, fallen->index, *endpoint.was);
  } else if (home) {
    return netns::remove_link(node, home->index);
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

Result<Whereabouts> find_endpoint_link(const EndpointRecord& endpoint) {
  auto node = TRY(open_node());
  if (TRY(link_of(node, endpoint))) return Whereabouts::node;
  const auto sandbox = sandbox_of(endpoint);
  if (!sandbox) return Whereabouts::unknown;
  if (!*sandbox) return Whereabouts::nowhere;
  auto inside = netns::RouteSocket::open(**sandbox);
  if (!inside) return Whereabouts::unknown;
  return TRY(link_of(*inside, endpoint)) ? Whereabouts::sandbox : Whereabouts::nowhere;
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
