// Routes (rtnetlink(7), linux/rtnetlink.h): list, replace, remove.
//
// Threads: as RouteSocket, one at a time for each socket. Privilege: CAP_NET_ADMIN to change; none to read.
#pragma once

#include <optional>
#include <vector>

#include "netns/address/address.h"
#include "netns/socket/route_socket.h"
#include "specs/value/ip.h"
#include "specs/value/result.h"

namespace plumb::netns {

constexpr unsigned kMainTable = 254;  // RT_TABLE_MAIN

struct Route {
  Cidr destination;                  // 0.0.0.0/0 or ::/0 is the default route
  std::optional<IpAddress> gateway;  // of the same family
  int ifindex = 0;                   // output device; 0: the kernel finds it from the gateway
  unsigned table = kMainTable;
  std::optional<unsigned> metric;   // RTA_PRIORITY; unset: the kernel's (IPv4 0, IPv6 1024)
  std::optional<IpAddress> source;  // preferred source address (RTA_PREFSRC)
  bool onlink = false;              // the gateway is on the link even if no address' prefix holds it (RTNH_F_ONLINK)
  int protocol = 4;                 // who made it: 2 kernel, 4 static (RTPROT_STATIC), 9 router advertisement

  [[nodiscard]] bool is_default() const { return destination.prefix() == 0; }
};

// 0.0.0.0/0 or ::/0.
[[nodiscard]] Cidr default_destination(bool v6);

struct RouteFilter {
  Family family = Family::any;
  unsigned table = kMainTable;  // 0: every table
  int ifindex = 0;              // 0: every device
};

// The unicast routes that match. Of a multipath route the first hop is shown. The kernel filters
// (NETLINK_GET_STRICT_CHK); a table that is not there has no routes. Errors: the kernel's.
[[nodiscard]] Result<std::vector<Route>> routes(RouteSocket& socket, const RouteFilter& filter = {});

// The routes of the device that go with its last address of that family, and that neither the kernel nor a router makes
// again: to be made anew when the address is back, in this order, since a gateway is reached by one before it. Errors:
// as routes().
[[nodiscard]] Result<std::vector<Route>> lasting_routes(RouteSocket& socket, Family family, int ifindex);

// Makes the route, or replaces the one of the same destination, metric and table (NLM_F_REPLACE): repeating it changes
// nothing. Errors: refused (ENETUNREACH, EHOSTUNREACH, EINVAL: the gateway is not on the device's subnet; ENETDOWN),
// not_found (no device).
[[nodiscard]] Result<void> replace_route(RouteSocket& socket, const Route& route);

// Removes the route that matches destination, table, and where given gateway, device and metric; one that is not there
// is a success. Errors: permission; the kernel's.
[[nodiscard]] Result<void> remove_route(RouteSocket& socket, const Route& route);

}  // namespace plumb::netns
