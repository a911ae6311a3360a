// Moving a device that plumb has not made, a physical one above all, into a namespace and back out.
//
// Threads: as RouteSocket, one at a time for each socket. Privilege: CAP_NET_ADMIN in both namespaces.
#pragma once

#include <optional>
#include <string>

#include "netns/link/link.h"
#include "netns/socket/route_socket.h"
#include "specs/value/ip.h"
#include "specs/value/result.h"

namespace plumb::netns {

struct MoveSpec {
  int index = 0;  // in the source socket's namespace
  IfName name;
  std::string alias;            // at most 255 bytes; empty: none
  std::optional<Mac> mac;       // default: what it has
  std::optional<unsigned> mtu;  // bytes; default: what it has
  bool up = true;
};

// Moves the device into `target`'s namespace (which may be its own), names it, sets its alias and brings it up or down,
// all by one message. The move takes all addresses and routes of the device away (dev_change_net_namespace,
// net/core/dev.c); devices upon it are destroyed. Returns it as it is there, with its index. Errors: exists (the name
// is taken there), not_found, EINVAL for one that cannot be moved (lo, a bridge).
[[nodiscard]] Result<Link> move_link(RouteSocket& source, RouteSocket& target, const MoveSpec& spec);

}  // namespace plumb::netns
