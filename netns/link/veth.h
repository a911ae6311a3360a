// Veth pairs (drivers/net/veth.c): one end on this node, the other made complete in the namespace where it will live.
//
// Threads: as RouteSocket, one at a time for each socket. Privilege: CAP_NET_ADMIN in both namespaces.
#pragma once

#include <optional>

#include "netns/link/link.h"
#include "netns/socket/route_socket.h"
#include "specs/value/ip.h"
#include "specs/value/result.h"

namespace plumb::netns {

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

}  // namespace plumb::netns
