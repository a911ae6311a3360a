// Numbers by which one network namespace knows others (RTM_GETNSID, net/core/net_namespace.c; Linux 4.0).
//
// Threads: that of the socket. Privilege: none.
#pragma once

#include <optional>

#include "netns/socket/route_socket.h"

namespace plumb::netns {

// The number that `other` has in the socket's namespace, where IFLA_LINK_NETNSID says it; nullopt when it has none
// there, so that no device there is on one of `other`. Errors: the kernel's.
[[nodiscard]] Result<std::optional<int>> namespace_id(RouteSocket& socket, const Namespace& other);

}  // namespace plumb::netns
