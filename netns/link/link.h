// Link: a network device, as rtnetlink tells of it (rtnl_fill_ifinfo, net/core/rtnetlink.c); looking at devices, naming
// them, bringing them up and down, removing them. How one is made or moved: upper_link.h, veth.h, moved_link.h.
//
// Threads: as RouteSocket, one at a time for each socket. Privilege: CAP_NET_ADMIN to change; none to read.
#pragma once

#include <optional>
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
  std::uint32_t carrier_downs = 0;  // so often it was lost (IFLA_CARRIER_DOWN_COUNT)
  bool loopback = false;
  // The parent of a macvlan or vlan, the peer of a veth; 0 when it has none. The index counts in the namespace of that
  // device, which is another one when parent_namespace is set. A macvlan made upon a macvlan has the latter's parent
  // (macvlan_common_newlink).
  int parent_index = 0;
  std::optional<int> parent_namespace;  // its number in this one (netns/socket/namespace_id.h); unset: this one
  int master = 0;                       // index of its bridge (or bond); 0 when it has none
  std::string alias;                    // IFLA_IFALIAS, at most 255 bytes
  std::string macvlan_mode;             // "bridge", "private", "vepa", "passthru", "source"; empty for other kinds
  std::string ipvlan_mode;              // "l2", "l3", "l3s"; empty for other kinds
  unsigned vlan_id = 0;                 // the 802.1q tag of a vlan; 0 for other kinds
  unsigned group = 0;                   // IFLA_GROUP
  std::vector<std::string> altnames;    // IFLA_ALT_IFNAME, each at most 127 bytes (kernel 5.5)
};

// The device of that name or index; nullopt when there is none. Errors: the kernel's.
[[nodiscard]] Result<std::optional<Link>> find_link(RouteSocket& socket, const IfName& name);
[[nodiscard]] Result<std::optional<Link>> find_link(RouteSocket& socket, int index);
// All devices of the namespace, in the order of their indexes.
[[nodiscard]] Result<std::vector<Link>> links(RouteSocket& socket);

// A further name of the device, which nobody else in the namespace may have (net/core/rtnetlink.c, rtnl_linkprop).
// Errors: exists; EINVAL or EOPNOTSUPP before kernel 5.5. Removing one that is not there is a success.
[[nodiscard]] Result<void> add_altname(RouteSocket& socket, int index, std::string_view name);
[[nodiscard]] Result<void> remove_altname(RouteSocket& socket, int index, std::string_view name);

// Brings the device up or down. Errors: not_found; the kernel's.
[[nodiscard]] Result<void> set_up(RouteSocket& socket, int index, bool up = true);
// Sets its alias (at most 255 bytes); an empty one removes it. Errors: not_found; EINVAL when too long.
[[nodiscard]] Result<void> set_alias(RouteSocket& socket, int index, std::string_view alias);
// Deletes the device; one that is not there is a success. Takes about 20 ms (the kernel waits for RCU): keep it off the
// critical path. Errors: unsupported for a device that cannot be deleted (physical, lo).
[[nodiscard]] Result<void> remove_link(RouteSocket& socket, int index);

}  // namespace plumb::netns
