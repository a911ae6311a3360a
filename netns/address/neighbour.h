// Neighbour entries (the ARP cache and its IPv6 twin): what a namespace believes about who has an address.
//
// Threads: as RouteSocket, one at a time for each socket. Privilege: none to read, CAP_NET_ADMIN to change.
#pragma once

#include <optional>
#include <string_view>

#include "netns/socket/route_socket.h"
#include "specs/value/ip.h"
#include "specs/value/result.h"

namespace plumb::netns {

// RFC 4861 section 7.3.2, and the kernel's additions (NUD_*, linux/neighbour.h).
enum class NeighbourState { none, incomplete, reachable, stale, delay, probe, failed, noarp, permanent };

// One word for each, as ip(8) prints it in lower case.
[[nodiscard]] std::string_view to_string(NeighbourState state);

struct Neighbour {
  IpAddress address;
  int ifindex = 0;
  std::optional<Mac> mac;  // none while incomplete or failed
  NeighbourState state = NeighbourState::none;
};

// The entry for `address` on the device; nullopt when there is none. Errors: not_found (no device).
[[nodiscard]] Result<std::optional<Neighbour>> find_neighbour(RouteSocket& socket, int ifindex,
                                                              const IpAddress& address);

// Says, for good (NUD_PERMANENT), that `address` is at `mac` on the device; repeating it changes nothing. It goes with
// the device. Errors: not_found (no device), permission.
[[nodiscard]] Result<void> set_neighbour(RouteSocket& socket, int ifindex, const IpAddress& address, const Mac& mac);

// Forgets what is believed of `address` on the device; nothing, or no device, is a success. Errors: permission.
[[nodiscard]] Result<void> remove_neighbour(RouteSocket& socket, int ifindex, const IpAddress& address);

}  // namespace plumb::netns
