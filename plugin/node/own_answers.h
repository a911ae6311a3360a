// A link answers for its own addresses, and for none that another link of its namespace has.
//
// By itself the kernel answers ARP on each device for the addresses of all of them (arp_ignore 0), and asks with any of
// them as the sender (arp_announce 0; Documentation/networking/ip-sysctl.rst): with two links on one LAN an address has
// two MACs there. IPv6 needs nothing: a solicitation is answered only for an address of the device that it came in by
// (ndisc_recv_ns, net/ipv6/ndisc.c), and sent with an address of the device that it goes out by (ndisc_solicit).
//
// Threads: safe from any. Privilege: as netns::write_sysctls().
#pragma once

#include "netns/namespace/namespace.h"
#include "specs/value/ip.h"
#include "specs/value/result.h"

namespace plumb {

// For a link that is plumb's, where it is to be used: a move into another namespace forgets it (inetdev_destroy,
// net/ipv4/devinet.c), so a device that is given back is as it was. Before its first address. A strict rp_filter, which
// namespaces inherit from the node, becomes a loose one on this link: what comes in by it may be answered by another
// link of the LAN. Errors: those of netns::write_sysctls().
[[nodiscard]] Result<void> keep_answers_apart(const netns::Namespace& ns, const IfName& device);

}  // namespace plumb
