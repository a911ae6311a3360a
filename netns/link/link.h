// Network devices: looking at them, making links complete inside a namespace, moving a physical one in and back out,
// removing them.
//
// A link is made inside the namespace where it will live, with its last name, MAC and MTU: it is never moved or
// renamed, so no udev rule of the host ever sees it (rtnl_newlink with IFLA_NET_NS_FD, net/core/rtnetlink.c). Only a
// device that plumb has not made can be moved.
//
// Threads: as RouteSocket, one at a time for each socket. Privilege: CAP_NET_ADMIN to change; none to read.
#pragma once

#include <chrono>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "netns/socket/route_socket.h"
#include "specs/value/ip.h"
#include "specs/value/result.h"

namespace plumb::netns {

struct Link {
  int index = 0;
  IfName name;
  std::string kind;        // IFLA_INFO_KIND: "macvlan", "veth", "bridge", ...; empty for a physical device and lo
  std::optional<Mac> mac;  // none when the hardware address is not 6 bytes
  unsigned mtu = 0;        // bytes
  bool up = false;         // administratively (IFF_UP)
  bool carrier = false;    // up, and its lower layer too (IFF_LOWER_UP)
  bool loopback = false;
  // The parent of a macvlan or vlan, the peer of a veth; 0 when it has none. The index counts in the namespace of that
  // device, which is another one when parent_elsewhere. A macvlan made upon a macvlan has the latter's parent
  // (macvlan_common_newlink).
  int parent_index = 0;
  bool parent_elsewhere = false;      // IFLA_LINK_NETNSID is there
  int master = 0;                     // index of its bridge (or bond); 0 when it has none
  std::string alias;                  // IFLA_IFALIAS, at most 255 bytes
  std::string macvlan_mode;           // "bridge", "private", "vepa", "passthru", "source"; empty for other kinds
  std::string ipvlan_mode;            // "l2", "l3", "l3s"; empty for other kinds
  unsigned vlan_id = 0;               // the 802.1q tag of a vlan; 0 for other kinds
  unsigned group = 0;                 // IFLA_GROUP
  std::vector<std::string> altnames;  // IFLA_ALT_IFNAME, each at most 127 bytes (kernel 5.5)
};

// The device of that name or index; nullopt when there is none. Errors: the kernel's.
[[nodiscard]] Result<std::optional<Link>> find_link(RouteSocket& socket, const IfName& name);
[[nodiscard]] Result<std::optional<Link>> find_link(RouteSocket& socket, int index);
// All devices of the namespace, in the order of their indexes.
[[nodiscard]] Result<std::vector<Link>> links(RouteSocket& socket);

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

// Moves the device into `target`'s namespace (which may be its own), names it, sets its alias and brings it up or down,
// all by one message. The move takes all addresses and routes of the device away (dev_change_net_namespace,
// net/core/dev.c); devices upon it are destroyed. Returns it as it is there, with its index. Errors: exists (the name
// is taken there), not_found, EINVAL for one that cannot be moved (lo, a bridge).
struct MoveSpec {
  int index = 0;  // in the source socket's namespace
  IfName name;
  std::string alias;            // at most 255 bytes; empty: none
  std::optional<Mac> mac;       // default: what it has
  std::optional<unsigned> mtu;  // bytes; default: what it has
  bool up = true;
};
[[nodiscard]] Result<Link> move_link(RouteSocket& source, RouteSocket& target, const MoveSpec& spec);

// Waits until the device has a carrier, told by the kernel. Errors: timeout, cancelled, not_found.
[[nodiscard]] Result<void> wait_carrier(RouteSocket& socket, int index, std::chrono::steady_clock::time_point deadline,
                                        std::stop_token stop);

// A further name of the device, which nobody else in the namespace may have (net/core/rtnetlink.c, rtnl_linkprop).
// Errors: exists; EINVAL or EOPNOTSUPP before kernel 5.5. Removing one that is not there is a success.
[[nodiscard]] Result<void> add_altname(RouteSocket& socket, int index, std::string_view name);
[[nodiscard]] Result<void> remove_altname(RouteSocket& socket, int index, std::string_view name);

struct VethSpec {
  IfName host_name;             // in the host socket's namespace
  int bridge_index = 0;         // there; 0: on no bridge
  IfName name;                  // in the target namespace
  std::optional<Mac> mac;       // of the end in the target namespace; default: random
  std::optional<unsigned> mtu;  // bytes, of both ends; default: the kernel's 1500
  bool up = true;               // false: leave the target's end down, e.g. to write its sysctls first
};

struct VethPair {
  Link host;
  Link target;
};

// A veth pair: one end on the bridge, the other in `target`'s namespace, both up. One message makes the pair, a second
// brings the target's end up (a veth that is up before its pairing is ENOTCONN: veth_open, drivers/net/veth.c). Errors:
// as create_macvlan; when bringing up fails the pair is removed again.
[[nodiscard]] Result<VethPair> create_veth(RouteSocket& host, RouteSocket& target, const VethSpec& spec);

// Makes a pending carrier change of the device happen now, so that its bridge port forwards at once instead of up to a
// second later: asking for the link state (ETHTOOL_GLINK) runs the link-watch queue for it (linkwatch_sync_dev in
// ethtool_op_get_link, net/ethtool/ioctl.c). Returns whether the device has a carrier. Errors: not_found, unsupported.
[[nodiscard]] Result<bool> force_carrier(RouteSocket& socket, const IfName& name);
// The same, by any socket of the device's namespace.
[[nodiscard]] Result<bool> force_carrier(int socket, int ifindex);

// Brings the device up or down. Errors: not_found; the kernel's.
[[nodiscard]] Result<void> set_up(RouteSocket& socket, int index, bool up = true);
// Sets its alias (at most 255 bytes); an empty one removes it. Errors: not_found; EINVAL when too long.
[[nodiscard]] Result<void> set_alias(RouteSocket& socket, int index, std::string_view alias);
// Deletes the device; one that is not there is a success. Takes about 20 ms (the kernel waits for RCU): keep it off the
// critical path. Errors: unsupported for a device that cannot be deleted (physical, lo).
[[nodiscard]] Result<void> remove_link(RouteSocket& socket, int index);

}  // namespace plumb::netns
