// probe(): asks the LAN whether somebody has an address. Who is to have it is for claims (claim_socket.h).
//
// IPv4: ARP probes as RFC 5227 section 2.1.1 (sender IP 0.0.0.0, so that no cache learns anything). IPv6: neighbour
// solicitations from :: as RFC 4862 section 5.4.2. Our own frames and VLAN-tagged frames (of other LANs on a trunk) are
// no conflict.
//
// Where it cannot hear: a probe on a macvlan's *parent* does not reach the macvlans of this host on that parent, nor
// the host itself (macvlan isolation). Probe on a macvlan (made in the service's or in a scratch namespace) to hear
// these too. A device without a carrier hears nobody.
//
// Threads: safe from any. Privilege: CAP_NET_RAW, and CAP_SYS_ADMIN when `ns` is not the caller's.
#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <stop_token>
#include <string>

#include "netns/namespace/namespace.h"
#include "specs/value/ip.h"
#include "specs/value/result.h"
#include "specs/value/unique_fd.h"

namespace plumb::netns {

// Who has the address.
struct Rival {
  IpAddress address;
  Mac mac;             // as in the ARP packet or the neighbour advertisement
  std::string device;  // our device where it was heard
};

struct ProbeTiming {
  unsigned count = 0;                            // probes, at least 1
  std::chrono::milliseconds first_delay_max{0};  // before the first: random, 0 to this
  std::chrono::milliseconds interval_min{0};     // between probes: random, min to max
  std::chrono::milliseconds interval_max{0};
  std::chrono::milliseconds listen{0};  // after the last
};

// Probes at 0, 40 and 80 ms, an answer at 120: for a LAN known to be fast (RFC 5227 section 2.2 allows shorter timers).
inline constexpr ProbeTiming kFastProbe{
    3, {}, std::chrono::milliseconds{40}, std::chrono::milliseconds{40}, std::chrono::milliseconds{40}};
// The timers of RFC 5227 section 1.1: PROBE_WAIT, PROBE_NUM, PROBE_MIN, PROBE_MAX, ANNOUNCE_WAIT; 4 to 7 seconds.
inline constexpr ProbeTiming kRfcProbe{3, std::chrono::milliseconds{1000}, std::chrono::milliseconds{1000},
                                       std::chrono::milliseconds{2000}, std::chrono::milliseconds{2000}};

struct Probed {
  std::optional<Rival> rival;  // nullopt: nobody answered
  // The packet socket. Closing one takes about 10 ms (synchronize_net in packet_release, net/packet/af_packet.c): keep
  // the result until the critical path is over.
  UniqueFd socket;
};

// Probes for `address` on the device `ifindex` of `ns`. Returns at once when a rival is heard, by its use of the
// address. Who only asks for it has it not: an owner's own claim does so each second, from another device of its node.
// Frames of `ignore` (and of the device itself) are no rival's. Errors: not_found (no device), refused (down:
// ENETDOWN), unsupported (not Ethernet), cancelled when `stop` is requested (noticed at once), permission.
[[nodiscard]] Result<Probed> probe(const Namespace& ns, int ifindex, const IpAddress& address,
                                   const ProbeTiming& timing, std::stop_token stop = {},
                                   std::span<const Mac> ignore = {});

}  // namespace plumb::netns
