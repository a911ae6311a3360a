// Rules of policy routing (linux/fib_rules.h): which table is asked for what has a given source address.
//
// Threads: as RouteSocket, one at a time for each socket. Privilege: CAP_NET_ADMIN.
#pragma once

#include "netns/socket/route_socket.h"
#include "specs/value/ip.h"
#include "specs/value/result.h"

namespace plumb::netns {

struct Rule {
  IpAddress source;       // exactly this one
  unsigned table = 0;     // where nothing in it fits, later rules are asked
  unsigned priority = 0;  // lower ones are asked first; 0 is the local table's, 32766 the main one's
};

// One that is there already is a success. Errors: unsupported (a kernel without CONFIG_IP_MULTIPLE_TABLES or
// CONFIG_IPV6_MULTIPLE_TABLES), permission.
[[nodiscard]] Result<void> add_rule(RouteSocket& socket, const Rule& rule);

// Removes all rules of that priority for what comes from `source`, whatever their table; none is a success.
[[nodiscard]] Result<void> remove_rules(RouteSocket& socket, const IpAddress& source, unsigned priority);

}  // namespace plumb::netns
