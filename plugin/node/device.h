// Devices of a namespace by the names that people write.
//
// Threads: as the socket. Privilege: none.
#pragma once

#include <optional>
#include <string>

#include "netns/link/link.h"
#include "netns/namespace/namespace.h"
#include "netns/socket/route_socket.h"
#include "specs/service/service.h"
#include "specs/value/result.h"

namespace plumb {

// The device of that name in the socket's namespace. Errors: spec (no name of a device), the kernel's.
[[nodiscard]] Result<std::optional<netns::Link>> device_named(netns::RouteSocket& socket, const std::string& text);
// The same; one that is not there is not_found.
[[nodiscard]] Result<netns::Link> need_link(netns::RouteSocket& socket, const std::string& name);

// A conversation with the namespace of the calling thread. Errors: permission, EMFILE.
[[nodiscard]] Result<netns::RouteSocket> open_node();

// What the kernel calls a mode that is an ipvlan's.
[[nodiscard]] netns::IpvlanMode kernel_mode(IpMode mode);

}  // namespace plumb
