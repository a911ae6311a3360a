// The carrier of a device: waiting for it, and making it come now.
//
// Threads: as RouteSocket, one at a time for each socket. Privilege: none (dev_ethtool lets anybody ask for the link
// state, net/ethtool/ioctl.c); wait_carrier() CAP_SYS_ADMIN when the namespace is not the caller's.
#pragma once

#include <chrono>
#include <stop_token>

#include "netns/socket/route_socket.h"
#include "specs/value/ip.h"
#include "specs/value/result.h"

namespace plumb::netns {

// Waits until the device has a carrier, told by the kernel. Errors: timeout, cancelled, not_found.
[[nodiscard]] Result<void> wait_carrier(RouteSocket& socket, int index, std::chrono::steady_clock::time_point deadline,
                                        std::stop_token stop);

// Makes a pending carrier change of the device happen now, so that its bridge port forwards at once instead of up to a
// second later: asking for the link state (ETHTOOL_GLINK) runs the link-watch queue for it (linkwatch_sync_dev in
// ethtool_op_get_link, net/ethtool/ioctl.c). Returns whether the device has a carrier. Errors: not_found, unsupported.
[[nodiscard]] Result<bool> force_carrier(RouteSocket& socket, const IfName& name);
// The same, by any socket of the device's namespace.
[[nodiscard]] Result<bool> force_carrier(int socket, int ifindex);

}  // namespace plumb::netns
