// A device of the node that is given away whole (mode dedicated): what it was, and how it comes home.
//
// Its mark (specs/value/dedicated_mark.h) goes along as its alias, so that it is found again, whatever has been lost.
// Threads: as the sockets. Privilege: CAP_NET_ADMIN in both namespaces.
#pragma once

#include <optional>
#include <string>

#include "netns/link/link.h"
#include "netns/socket/route_socket.h"
#include "specs/value/dedicated_mark.h"
#include "specs/value/result.h"

namespace plumb {

// The mark of the device as it is now on the node, where people call it `name`.
[[nodiscard]] DedicatedMark mark_of(const std::string& name, const netns::Link& device);

// The device of the namespace that carries the mark. By nothing else is it known again: another one may have its name
// by now, and after a boot no device has a mark.
[[nodiscard]] Result<std::optional<netns::Link>> find_marked(netns::RouteSocket& socket, const DedicatedMark& was);

// Takes the device `index` of `from`'s namespace, which may be the node's own, to the node, takes its mark off and
// makes it what it was before. Errors: those of netns::move_link().
[[nodiscard]] Result<void> give_back(netns::RouteSocket& from, netns::RouteSocket& node, int index,
                                     const DedicatedMark& was);

}  // namespace plumb
