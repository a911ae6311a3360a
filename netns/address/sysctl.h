// The network sysctls that plumb may touch: a closed set, for one device, in one namespace.
//
// /proc/sys/net shows the namespace of the task that opens a file there (net_ctl_header_lookup, net/sysctl_net.c), so a
// thread of ours in the namespace uses our own /proc; a container's read-only /proc does not matter. A new device takes
// the values of the device "default" of its namespace (ipv6_add_dev, net/ipv6/addrconf.c): writing accept_ra there
// before a link is made up in one message leaves no moment where a router advertisement is taken.
//
// Threads: safe from any. Privilege: CAP_NET_ADMIN over the namespace, CAP_SYS_ADMIN to enter it.
#pragma once

#include <span>

#include "netns/namespace/namespace.h"
#include "specs/value/ip.h"
#include "specs/value/result.h"

namespace plumb::netns {

// Documentation/networking/ip-sysctl.rst has the meaning and the range of each.
enum class Sysctl {
  accept_ra,          // IPv6: 0 never, 1 unless forwarding, 2 always
  autoconf,           // IPv6: addresses from router advertisements
  disable_ipv6,       // IPv6: no IPv6 on the device
  accept_dad,         // IPv6: 0 no detection, 1 yes, 2 yes and stop IPv6 on a duplicate link-local
  dad_transmits,      // IPv6: probes to send
  ndisc_notify,       // IPv6: advertise at link up and MAC change
  keep_addr_on_down,  // IPv6: keep static addresses when the device goes down
  arp_notify,         // IPv4: gratuitous ARP at link up and MAC change
  arp_ignore,         // IPv4: which ARP requests to answer
  arp_announce,       // IPv4: which source address to use in ARP
  arp_filter,         // IPv4: 1 answers ARP only where the asker would be reached through this device
  rp_filter,  // IPv4: 1 drops what comes from where its answer would not go, 2 what comes from nowhere, 0 nothing
  promote_secondaries,  // IPv4: a secondary takes the place of a deleted primary
};

struct SysctlValue {
  Sysctl key;
  int value = 0;
};

// Writes the values for `device` ("all" and "default" are devices here) in the given order, stops at the first error.
// Errors: not_found (no such device, or the kernel has no IPv6 or no such sysctl), permission, EINVAL (out of range).
[[nodiscard]] Result<void> write_sysctls(const Namespace& ns, const IfName& device,
                                         std::span<const SysctlValue> values);

// Reads one. Errors: as above.
[[nodiscard]] Result<int> read_sysctl(const Namespace& ns, const IfName& device, Sysctl key);

}  // namespace plumb::netns
