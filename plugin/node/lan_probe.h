// Asking the LAN of a device of the node who has an address, from a place that hears everybody there.
//
// Threads: safe from any. Privilege: CAP_NET_ADMIN, CAP_NET_RAW, CAP_SYS_ADMIN.
#pragma once

#include <stop_token>
#include <string>

#include "netns/lan/probe.h"
#include "specs/service/service.h"
#include "specs/value/ip.h"
#include "specs/value/result.h"

namespace plumb {

// Precondition: `profile` is not off.
[[nodiscard]] netns::ProbeTiming timing_of(ProbeProfile profile);

// Who answers for `address` on the LAN of the node's device `parent`, on which a link of that mode is to be made.
// Errors: not_found (no such device), cancelled, and those of netns::probe().
[[nodiscard]] Result<netns::Probed> ask_lan(const std::string& parent, IpMode mode, const IpAddress& address,
                                            ProbeProfile profile, const std::stop_token& stop);

}  // namespace plumb
