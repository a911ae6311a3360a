// Addresses of network devices (rtnetlink(7), linux/if_addr.h): list, add, remove.
//
// Threads: as RouteSocket, one at a time for each socket. Privilege: CAP_NET_ADMIN to change; none to read.
#pragma once

#include <optional>
#include <vector>

#include "netns/socket/route_socket.h"
#include "specs/value/ip.h"
#include "specs/value/result.h"

namespace plumb::netns {

struct Address {
  Cidr cidr;
  int ifindex = 0;
  bool tentative = false;   // IPv6: detection goes on, the address cannot be bound yet
  bool dadfailed = false;   // IPv6: somebody else has it; it will never be used
  bool deprecated = false;  // its preferred lifetime is over
  bool permanent = false;   // not learnt from a router or DHCP with a lifetime
  bool secondary = false;   // IPv4: would go with its primary: remove_address()
};

enum class Family { any, v4, v6 };

// The addresses of the device `ifindex`, or of all devices with 0. Errors: the kernel's; a device that is not there has
// none.
[[nodiscard]] Result<std::vector<Address>> addresses(RouteSocket& socket, int ifindex, Family family = Family::any);

// Whether the device has it, whatever its prefix. Costs the same on a device that has thousands, as a rule: the kernel
// is asked for the one. Errors: as addresses().
[[nodiscard]] Result<bool> has_address(RouteSocket& socket, int ifindex, const IpAddress& address);

struct AddressOptions {
  bool noprefixroute = false;  // make no route to the prefix (IFA_F_NOPREFIXROUTE)
  bool nodad = false;          // IPv6: no detection, usable at once (IFA_F_NODAD): probe before
  bool no_source = false;      // IPv6: deprecated, no source of new connections where there is another (RFC 4862 5.5.4)
};

enum class Added {
  created,  // by this call
  present,  // exactly this address and prefix was on the device before (EEXIST)
};

// Adds `cidr` to the device. Errors: not_found (no device), unsupported (IPv6 is off there), permission.
[[nodiscard]] Result<Added> add_address(RouteSocket& socket, int ifindex, const Cidr& cidr,
                                        AddressOptions options = {});

// Removes it; an address, or a device, that is not there is a success. The prefix must be the address's own. Others
// stay: the kernel would take an IPv4 primary's secondaries along (inet_del_ifa, net/ipv4/devinet.c), so they are
// promoted, which needs CAP_SYS_ADMIN where the sysctl promote_secondaries is not set. Errors: permission; the
// kernel's.
[[nodiscard]] Result<void> remove_address(RouteSocket& socket, int ifindex, const Cidr& cidr);

}  // namespace plumb::netns
