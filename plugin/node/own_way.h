// What an address of a service sends leaves by its own link, also where another link of its namespace is on the LAN.
//
// The main table has one route to a LAN, and one default route: both links would send by the first, whose carrier, MAC
// and switch port need not be the other's, and a strict rp_filter would drop what comes in by the other. So the links
// of a namespace with several have a table each, which is asked for what has an address of theirs as its source. The
// main one is asked after it, and for all else. Who has neighbours: specs/plan/default_route.h.
//
// Threads: as RouteSocket. Privilege: CAP_NET_ADMIN. A kernel without policy routing is none of these's errors.
#pragma once

#include <optional>

#include "netns/socket/route_socket.h"
#include "specs/value/ip.h"
#include "specs/value/result.h"

namespace plumb {

// The number of a link's own table.
[[nodiscard]] unsigned own_table(int link);

// For an address that is on the link: its subnet is on that link. `on_link` false: the subnet has no route of its own
// (del_net_route).
[[nodiscard]] Result<void> give_own_way(netns::RouteSocket& socket, int link, const Cidr& address, bool on_link);
// The default route of what the link's addresses of the gateway's family send. `onlink`: no route to the gateway's
// network tells the kernel that it is on the link.
[[nodiscard]] Result<void> give_own_gateway(netns::RouteSocket& socket, int link, const IpAddress& gateway,
                                            bool onlink);
// For an address that is withdrawn. The routes go with the link. What is not there is a success.
[[nodiscard]] Result<void> take_own_way(netns::RouteSocket& socket, const IpAddress& address);

}  // namespace plumb
