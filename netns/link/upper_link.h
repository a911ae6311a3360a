// Devices upon another one, their parent: macvlan, ipvlan, vlan.
//
// Each is made inside the namespace where it will live, with its last name, MAC and MTU: it is never moved or renamed,
// so no udev rule of the host ever sees it (rtnl_newlink with IFLA_NET_NS_FD, net/core/rtnetlink.c).
//
// Threads: as RouteSocket, one at a time for each socket. Privilege: CAP_NET_ADMIN in both namespaces.
#pragma once

#include <optional>
#include <string_view>

#include "netns/link/link.h"
#include "netns/socket/route_socket.h"
#include "specs/value/ip.h"
#include "specs/value/result.h"

namespace plumb::netns {

struct MacvlanSpec {
  int parent_index = 0;         // in the host socket's namespace
  IfName name;                  // in the target namespace
  std::optional<Mac> mac;       // default: the kernel's random one
  std::optional<unsigned> mtu;  // bytes; default: the parent's; more than the parent's is an error
  bool up = true;               // false: leave it down, e.g. to write its sysctls first
};

// A macvlan link in mode bridge, in `target`'s namespace, made by one message to `host`, where the parent is.
// Errors: exists (the name is taken there), not_found (no parent), refused (the parent is a bridge port or already
// another kind's parent: EBUSY; MTU too large; MAC in use on the parent), unsupported (no macvlan module), permission.
// Nothing is left on an error.
[[nodiscard]] Result<Link> create_macvlan(RouteSocket& host, RouteSocket& target, const MacvlanSpec& spec);

enum class IpvlanMode { l2, l3, l3s };

struct IpvlanSpec {
  int parent_index = 0;  // in the host socket's namespace
  IfName name;           // in the target namespace
  IpvlanMode mode = IpvlanMode::l2;
  std::optional<unsigned> mtu;  // bytes; default: the parent's
  bool up = true;
};

// An ipvlan link: with its parent's MAC, told apart by its addresses (Documentation/networking/ipvlan.rst). All ipvlans
// of one parent have one mode: making one changes that of the others. Otherwise as create_macvlan.
[[nodiscard]] Result<Link> create_ipvlan(RouteSocket& host, RouteSocket& target, const IpvlanSpec& spec);

struct VlanSpec {
  int parent_index = 0;
  IfName name;
  unsigned id = 0;     // 1 to 4094
  unsigned group = 0;  // IFLA_GROUP: set in the same message, so that it can say whose device this is
};

// An 802.1q device upon the parent, in the parent's own namespace, up. Errors: as create_macvlan; exists also when the
// parent has a device of that tag under another name.
[[nodiscard]] Result<Link> create_vlan(RouteSocket& socket, const VlanSpec& spec);

// Whether the kernel can make devices of that kind, one of those that need a device below them ("ipvlan", "vlan"): it
// is asked for one upon none, and says whether it knows the kind; a module is loaded by that. Errors: permission.
[[nodiscard]] Result<bool> knows_kind(RouteSocket& socket, std::string_view kind);

}  // namespace plumb::netns
