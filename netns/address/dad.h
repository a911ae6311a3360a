// IPv6 duplicate address detection (RFC 4862 section 5.4), as the kernel does it: waiting for its end.
//
// Threads: as RouteSocket, one at a time for each socket. Privilege: CAP_SYS_ADMIN when the namespace is not the
// caller's.
#pragma once

#include <chrono>
#include <stop_token>

#include "netns/socket/route_socket.h"
#include "specs/value/ip.h"
#include "specs/value/result.h"

namespace plumb::netns {

// Waits, by notifications and not by polling, until the address is no longer tentative (IFA_F_TENTATIVE). An IPv4
// address never is. Errors: conflict when detection failed (the address stays, dadfailed: remove it), not_found when
// the address is not or no longer there, timeout at `deadline` (e.g. no carrier), cancelled when `stop` is requested.
[[nodiscard]] Result<void> wait_dad(RouteSocket& socket, int ifindex, const IpAddress& address,
                                    std::chrono::steady_clock::time_point deadline, std::stop_token stop = {});

}  // namespace plumb::netns
