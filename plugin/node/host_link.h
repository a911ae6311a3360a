// The node's own way to addresses on macvlans and ipvlans: one more of them on the same parent, in the node's
// namespace, with a route for each address.
//
// It has no address of its own; the node's are used. So that it does not answer the LAN for them beside the parent, it
// answers only who is reached through it (arp_filter, Documentation/networking/ip-sysctl.rst). So that it does not
// claim them there, either, the node is told where an IPv4 address is: what asks for it goes to the whole LAN, with an
// address of the node's and the MAC of the link. IPv6 asks with the link's own. The link's MAC follows from the
// parent's, since services hear of another one no more than the LAN does. Threads: the caller holds lock_node_links(),
// and the sockets are its own. Privilege: CAP_NET_ADMIN.
#pragma once

#include <vector>

#include "netns/link/link.h"
#include "netns/namespace/namespace.h"
#include "netns/socket/route_socket.h"
#include "specs/service/service.h"
#include "specs/value/ip.h"
#include "specs/value/result.h"

namespace plumb {

// What has to be known inside: the node's addresses on the parent, and the MAC by which they are reached. For IPv6 a
// link answers for its own addresses only (ndisc_recv_ns, net/ipv6/ndisc.c), so the other side is told by
// tell_neighbours(); for IPv4 nobody needs to be.
struct HostSide {
  std::vector<Cidr> addresses;  // of the family of the address
  std::optional<Mac> mac;       // none where nobody resolves one
};

// Makes the link, or mends it, and the route to `address`, whose link has the MAC `owner`. Repeating it changes
// nothing.
[[nodiscard]] Result<HostSide> grant_host_route(netns::RouteSocket& node, const netns::Link& parent, IpMode mode,
                                                const IpAddress& address, const std::optional<Mac>& owner);
// Removes the route, and with the last one the link. What is not there is a success.
[[nodiscard]] Result<void> take_host_route(netns::RouteSocket& node, int parent, const IpAddress& address);

// Neighbour entries on the device inside for an IPv6 address' way to the node.
[[nodiscard]] Result<void> tell_neighbours(netns::RouteSocket& inside, int device, const HostSide& host);

}  // namespace plumb
