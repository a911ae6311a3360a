// Voice: where a node speaks and listens for its claims on one LAN.
//
// Threads: plain values; open() from any. Privilege: open() needs CAP_NET_ADMIN, CAP_NET_RAW, CAP_SYS_ADMIN.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "netns/lan/claim_socket.h"
#include "netns/namespace/namespace.h"
#include "specs/service/service.h"
#include "specs/value/result.h"

namespace plumb {

struct Voice {
  std::string key;     // claims with one key share a socket
  std::string device;  // the node's device that the LAN is behind, for people
  std::function<Result<netns::ClaimSocket>()> open;
};

// On the LAN of the node's device `parent`, on which a link of that mode is, or is to be: from a place that hears
// everybody there. Errors of open(): not_found (no such device), those of ClaimSocket.
[[nodiscard]] Voice voice_on(const std::string& parent, IpMode mode);

// On the LAN of the node's device itself: a bridge, or one that a service's address is on. Nothing is made upon it.
[[nodiscard]] Voice voice_at(const std::string& device);

// From a device that is in the service's namespace itself. `container` is its resource.
[[nodiscard]] Voice voice_inside(std::shared_ptr<const netns::Namespace> ns, const std::string& container,
                                 const std::string& device);

}  // namespace plumb
