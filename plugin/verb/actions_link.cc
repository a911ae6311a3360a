// The links of a service: made in its namespace, or, of a physical device, moved in and back out.
#include <array>

#include "netns/address/sysctl.h"
#include "netns/link/link.h"
#include "netns/link/moved_link.h"
#include "netns/link/upper_link.h"
#include "netns/namespace/enter.h"
#include "plugin/node/bridge_port.h"
#include "plugin/node/dedicated_device.h"
#include "plugin/node/device.h"
#include "plugin/node/open_vswitch.h"
#include "plugin/node/own_answers.h"
#include "plugin/node/own_way.h"
#include "plugin/node/service_lock.h"
#include "plugin/node/vlan_use.h"
#include "plugin/verb/actions.h"
#include "specs/plan/default_route.h"
#include "specs/service/uplink.h"
#include "specs/value/dedicated_mark.h"

namespace plumb {

namespace {

bool any_v6(const Service& service, const IpResource& ip) {
  for (const auto& other : service.ips) {
    if (other.netns != ip.netns || other.disable) continue;
    for (const auto& name : other.names)
      if (name.address() == nullptr || name.address()->is_v6()) return true;
  }
  return false;
}

// What a new device takes over from "default": no address or route from a router's word on a static service ip, unless
// asked for, and no IPv6 at all where the service has none.
Result<void> set_defaults(const Service& service, const IpResource& ip, const netns::Namespace& ns) {
  const bool v6 = any_v6(service, ip) || ip.accept_ra;
  const int advertised = ip.accept_ra ? 1 : 0;
  const std::array<netns::SysctlValue, 3> values{{{netns::Sysctl::accept_ra, advertised},
                                                  {netns::Sysctl::autoconf, advertised},
                                                  {netns::Sysctl::disable_ipv6, v6 ? 0 : 1}}};
  const auto everything = TRY(IfName::parse("default"));
  if (auto written = netns::write_sysctls(ns, everything, values);
      !written && (v6 || written.error().kind != ErrorKind::not_found))
    return Err{std::move(written).error()};
  return {};
}

}  // namespace

Result<void> Actions::create_link(const Step& step, const LinkCreate& create) {
  const auto& ip = ip_of(step);
  const auto node = TRY(conversation({}));
  const auto inside = TRY(conversation(create.link.container));
  const std::scoped_lock lock(node->mutex, inside->mutex);
  const auto name = TRY(IfName::parse(create.link.device));
  if (create.mode == IpMode::bridge || create.mode == IpMode::ovs || create.mode == IpMode::dedicated) {
    TRY(set_defaults(service_, ip, *inside->ns));
    return create.mode == IpMode::dedicated ? move_in(step, create, node, inside, name)
                                            : plug_in(step, create, node, inside, name);
  }
  // One thread in the namespace for all (netns/namespace/enter.h): this is on the critical path.
  return netns::run_in(*inside->ns, [&] { return put_upon(step, create, node, inside, name); });
}

// Both places are locked. In the namespace.
Result<void> Actions::put_upon(const Step& step, const LinkCreate& create, const std::shared_ptr<Conversation>& node,
                               const std::shared_ptr<Conversation>& inside, const IfName& name) {
  const auto& ip = ip_of(step);
  TRY(set_defaults(service_, ip, *inside->ns));
  const auto parent = TRY(need_link(*node->socket, create.parent));
  int index = 0;
  if (is_ipvlan(create.mode)) {
    index = TRY(netns::create_ipvlan(*node->socket, *inside->socket,
                                     {parent.index, name, kernel_mode(create.mode), ip.mtu, true}))
                .index;
  } else {
    index = TRY(netns::create_macvlan(*node->socket, *inside->socket, {parent.index, name, ip.macaddr, ip.mtu, true}))
                .index;
  }
  book(step, [inside, index] { return netns::remove_link(*inside->socket, index); });
  return keep_answers_apart(*inside->ns, name);
}

// Both places are locked.
Result<void> Actions::plug_in(const Step& step, const LinkCreate& create, const std::shared_ptr<Conversation>& node,
                              const std::shared_ptr<Conversation>& inside, const IfName& name) {
  const auto& ip = ip_of(step);
  const auto outer = TRY(service_port_name(*inside->ns, create.link.device));
  const auto pair = TRY(make_bridge_port(
      *node->socket, *inside->socket,
      {outer, "plumb " + service_.name + " " + ip.id, create.mode, create.parent, name, ip.macaddr, ip.mtu, true}));
  book(step, [inside, index = pair.target.index] { return netns::remove_link(*inside->socket, index); });
  TRY(keep_answers_apart(*inside->ns, name));
  if (create.mode == IpMode::bridge) return {};
  book(step, [service = service_.name, id = ip.id] { return release_switch_ports(service, id); });
  return add_switch_port({service_.name, ip.id, create.parent, outer.str(), ip.vlan_tag, ip.vlan_mode});
}

// Both places are locked.
Result<void> Actions::move_in(const Step& step, const LinkCreate& create, const std::shared_ptr<Conversation>& node,
                              const std::shared_ptr<Conversation>& inside, const IfName& name) {
  const auto& ip = ip_of(step);
  std::optional<netns::Link> device = TRY(device_named(*node->socket, create.parent));
  std::optional<DedicatedMark> mark;
  // One that came home from a container that died is called as it was there, and knows what it was before.
  if (!device)
    for (const auto& link : TRY(netns::links(*node->socket)))
      if (const auto found = DedicatedMark::parse(link.alias); found && found->device == create.parent) device = link;
  if (!device) return Err{ErrorKind::not_found, "find device " + create.parent + ": no such device"};
  mark = DedicatedMark::parse(device->alias);
  if (!mark) mark = mark_of(create.parent, *device);
  const auto moved = TRY(netns::move_link(*node->socket, *inside->socket,
                                          {device->index, name, mark->to_string(), ip.macaddr, ip.mtu, true}));
  book(step, [node, inside, index = moved.index, was = *mark] {
    return give_back(*inside->socket, *node->socket, index, was);
  });
  return keep_answers_apart(*inside->ns, name);
}

Result<void> Actions::remove_link(const Place& where) {
  const auto node = TRY(conversation({}));
  const auto inside = TRY(conversation(where.container));
  const bool same = node == inside;
  std::unique_lock node_lock(node->mutex, std::defer_lock);
  std::unique_lock inside_lock(inside->mutex, std::defer_lock);
  if (same) {
    node_lock.lock();
  } else {
    std::lock(node_lock, inside_lock);
  }
  const auto link = TRY(device_named(*inside->socket, where.device));
  if (!link) return {};
  // Whatever the spec says today: what belongs to the node goes back to it.
  if (const auto mark = DedicatedMark::parse(link->alias))
    return give_back(*inside->socket, *node->socket, link->index, *mark);
  if (same) return {};
  return netns::remove_link(*inside->socket, link->index);
}

// The place is locked. The link may be of a run that was killed before it had said whom it answers for.
Result<void> Actions::give_way(const Step& step, const std::shared_ptr<Conversation>& where, const netns::Link& link,
                               const Cidr& address) {
  const auto& ip = ip_of(step);
  if (!has_neighbour_link(service_, ip)) return {};
  TRY(keep_answers_apart(*where->ns, link.name));
  book(step, [where, address] { return take_own_way(*where->socket, address.address()); });
  return give_own_way(*where->socket, link.index, address, !ip.del_net_route);
}

Result<void> Actions::give_way_out(const Step& step, netns::RouteSocket& socket, const netns::Route& route) {
  if (!route.gateway || !has_neighbour_link(service_, ip_of(step))) return {};
  return give_own_gateway(socket, route.ifindex, *route.gateway, route.onlink);
}

// Whatever the spec says today. Nothing of the kind is made in the node's own namespace.
Result<void> Actions::take_way(const AddressRemove& remove, netns::RouteSocket& socket) {
  return remove.place.container.empty() ? Result<void>{} : take_own_way(socket, remove.cidr.address());
}

Result<void> Actions::take_vlan(const Step& step, const VlanTake& take, const std::stop_token& stop) {
  const auto node = TRY(conversation({}));
  const auto shared = TRY(lock_node_links(stop));
  const std::lock_guard lock(node->mutex);
  const auto user = vlan_user(service_.name, step.resource);
  book(step, [node, name = take.vlan.name, user]() -> Result<void> {
    const auto mine = TRY(lock_node_links());
    const std::lock_guard inside(node->mutex);
    return leave_vlan(*node->socket, name, user);
  });
  return join_vlan(*node->socket, take.vlan, user);
}

Result<void> Actions::release_vlan(const Step& step, const VlanRelease& release) {
  const auto node = TRY(conversation({}));
  const auto shared = TRY(lock_node_links());
  const std::lock_guard lock(node->mutex);
  return leave_vlan(*node->socket, release.device, vlan_user(service_.name, step.resource));
}

}  // namespace plumb
