#include "plugin/verb/netns_reader.h"

#include <algorithm>

#include "netns/address/address.h"
#include "netns/address/route.h"
#include "netns/link/link.h"
#include "netns/socket/route_socket.h"
#include "plugin/node/own_way.h"
#include "plugin/node/vlan_use.h"
#include "specs/plan/host_access.h"

namespace plumb {

namespace {

ObservedLink observed(const netns::Link& link) {
  // Nobody has a MAC on lo: its zeros are none.
  const auto mac = link.loopback ? std::nullopt : link.mac;
  return {link.index,       link.name.str(),    link.kind,   mac,        link.mtu,   link.up,
          link.carrier,     link.parent_index,  link.master, link.group, link.alias, link.altnames,
          link.ipvlan_mode, link.carrier_downs, link.vlan_id};
}

void note_vlan_users(const netns::Link& device, ObservedLink& out) {
  auto users = vlan_users(device);
  if (users)
    out.vlan_users = *std::move(users);
  else
    out.vlan_users_error = std::move(users).error();
}

}  // namespace

Result<ObservedNetns> read_netns(const netns::Namespace& ns, Routes which, VlanUse use) {
  ObservedNetns out;
  out.device = ns.id().dev;
  out.inode = ns.id().ino;
  auto socket = TRY(netns::RouteSocket::open(ns));
  for (const auto& link : TRY(netns::links(socket))) {
    out.links.push_back(observed(link));
    if (use == VlanUse::yes) note_vlan_users(link, out.links.back());
  }
  for (const auto& a : TRY(netns::addresses(socket, 0)))
    out.addresses.push_back({a.cidr, a.ifindex, a.tentative, a.dadfailed, !a.permanent});
  if (which == Routes::yes || std::any_of(out.links.begin(), out.links.end(), is_host_link))
    for (const auto& r : TRY(netns::routes(socket)))
      out.routes.push_back({r.is_default() ? std::nullopt : std::optional<Cidr>(r.destination), r.gateway, r.ifindex,
                            r.destination.address().is_v6()});
  // Beside lo there is one link, as a rule.
  if (which == Routes::yes && out.links.size() > 2)
    for (const auto& link : out.links)
      for (const auto& r : TRY(netns::routes(socket, {netns::Family::any, own_table(link.index)})))
        if (r.is_default())
          out.routes.push_back({std::nullopt, r.gateway, r.ifindex, r.destination.address().is_v6(), true});
  return out;
}

}  // namespace plumb
