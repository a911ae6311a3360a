// Asking the LAN of a device of the node who has an address, from a place that hears everybody there.
//
// Threads: safe from any. Privilege: CAP_NET_ADMIN, CAP_NET_RAW, CAP_SYS_ADMIN.
#pragma once

#include <memory>
#include <stop_token>
#include <string>

#include "netns/lan/probe.h"
#include "netns/namespace/namespace.h"
#include "specs/service/service.h"
#include "specs/value/ip.h"
#include "specs/value/result.h"

namespace plumb {

// A place that hears everybody on the LAN of a device: a macvlan on it, in a namespace of its own that lives as long as
// somebody holds it. From the device itself this node's other macvlans cannot be heard.
struct Listener {
  std::shared_ptr<const netns::Namespace> ns;
  int index = 0;
};
// On the node's device `parent`, on which a link of that mode is to be made: where no macvlan can be, the device
// itself. Errors: not_found (no such device), permission.
[[nodiscard]] Result<Listener> listener_on(const std::string& parent, IpMode mode);

// Precondition: `profile` is not off.
[[nodiscard]] netns::ProbeTiming timing_of(ProbeProfile profile);

// Who answers for `address` on the LAN of the node's device `parent`, on which a link of that mode is to be made.
// Errors: not_found (no such device), cancelled, and those of netns::probe().
[[nodiscard]] Result<netns::Probed> ask_lan(const std::string& parent, IpMode mode, const IpAddress& address,
                                            ProbeProfile profile, const std::stop_token& stop);

}  // namespace plumb
