// Network devices: looking at them, making macvlan and veth links complete inside a namespace, removing them.
//
// A link is made inside the namespace where it will live, with its last name, MAC and MTU: it is never moved or
// renamed, so no udev rule of the host ever sees it (rtnl_newlink with IFLA_NET_NS_FD, net/core/rtnetlink.c).
//
// Threads: as RouteSocket, one at a time for each socket. Privilege: CAP_NET_ADMIN to change; none to read.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "netns/route_socket.h"
#include "specs/ip.h"
#include "specs/result.h"

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
  bool parent_elsewhere = false;  // IFLA_LINK_NETNSID is there
  int master = 0;                 // index of its bridge (or bond); 0 when it has none
  std::string alias;              // IFLA_IFALIAS, at most 255 bytes
  std::string macvlan_mode;       // "bridge", "private", "vepa", "passthru", "source"; empty for other kinds
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

// Brings the device up or down. Errors: not_found; the kernel's.
[[nodiscard]] Result<void> set_up(RouteSocket& socket, int index, bool up = true);
// Sets its alias (at most 255 bytes); an empty one removes it. Errors: not_found; EINVAL when too long.
[[nodiscard]] Result<void> set_alias(RouteSocket& socket, int index, std::string_view alias);
// Deletes the device; one that is not there is a success. Takes about 20 ms (the kernel waits for RCU): keep it off the
// critical path. Errors: unsupported for a device that cannot be deleted (physical, lo).
[[nodiscard]] Result<void> remove_link(RouteSocket& socket, int index);

}  // namespace plumb::netns
