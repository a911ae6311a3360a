// Addresses of network devices: list, add, remove, and wait for IPv6 duplicate address detection.
//
// Threads: as RouteSocket, one at a time for each socket. Privilege: CAP_NET_ADMIN to change; none to read.
#pragma once

#include <chrono>
#include <optional>
#include <stop_token>
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
  bool secondary = false;   // IPv4: goes with its primary, unless promote_secondaries is set
};

enum class Family { any, v4, v6 };

// The addresses of the device `ifindex`, or of all devices with 0. Errors: the kernel's; a device that is not there has
// none.
[[nodiscard]] Result<std::vector<Address>> addresses(RouteSocket& socket, int ifindex, Family family = Family::any);

struct AddAddress {
  bool noprefixroute = false;  // make no route to the prefix (IFA_F_NOPREFIXROUTE)
  bool nodad = false;          // IPv6: no detection, usable at once (IFA_F_NODAD): probe before
};

enum class Added {
  created,
  present,  // exactly this address and prefix was on the device before (EEXIST)
};

// Adds `cidr` to the device. Errors: not_found (no device), unsupported (IPv6 is off there), permission.
[[nodiscard]] Result<Added> add_address(RouteSocket& socket, int ifindex, const Cidr& cidr, AddAddress options = {});

// Removes it; an address, or a device, that is not there is a success. The prefix must be the address's own. Deleting
// an IPv4 primary takes its secondaries along, unless promote_secondaries is set (inet_del_ifa, net/ipv4/devinet.c).
[[nodiscard]] Result<void> remove_address(RouteSocket& socket, int ifindex, const Cidr& cidr);

// Waits, by notifications and not by polling, until the address is no longer tentative. An IPv4 address never is.
// Errors: conflict when detection failed (the address stays, dadfailed: remove it), not_found when the address is not
// or no longer there, timeout at `deadline` (e.g. no carrier), cancelled when `stop` is requested.
[[nodiscard]] Result<void> wait_dad(RouteSocket& socket, int ifindex, const IpAddress& address,
                                    std::chrono::steady_clock::time_point deadline, std::stop_token stop = {});

}  // namespace plumb::netns
