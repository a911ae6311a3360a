// Claim: one node's claim of one address on a LAN, what it says of itself to others, and which of two stays.
//
// Threads: plain values. Privilege: none. RFC 5227 (ARP) and RFC 4862 section 5.4 (IPv6) know no such thing: they tell
// that an address is used, not by whom it may be.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <string_view>
#include <vector>

namespace plumb::claim {

// Since the machine booted, its sleep included (CLOCK_BOOTTIME).
using Time = std::chrono::microseconds;

// What decides between two claims: the higher rank stays, whatever their MACs, ages and clocks. It changes once, when
// the claim is confirmed, and never while there is a rival.
struct Rank {
  std::uint64_t epoch = 0;  // 0: provisional
  std::uint64_t nonce = 0;  // by chance
  std::uint64_t id = 0;     // of the claim, no other has it

  friend auto operator<=>(const Rank&, const Rank&) = default;
};

// In the order in which they give way: a claim of an earlier state yields to one of a later.
enum class State {
  withdrawn,  // nothing is claimed; the address is off the link
  lost,       // somebody else has it; the address is off the link
  asking,     // probes go out
  reserved,   // free, but what needs it is not there yet; off the link, and no other plumb gets it
  doubtful,   // owned, but off the link until it has been asked again
  owned,      // on the link: the kernel answers
};

[[nodiscard]] std::string_view to_string(State state);

// Whether somebody who hears of a claim in this state has to reckon with it.
[[nodiscard]] constexpr bool is_claiming(State state) { return state >= State::asking; }

// A claim as others hear of it.
struct Saying {
  Rank rank;
  State state = State::withdrawn;

  // Whether it stays when it meets `other`: by state, then by rank.
  [[nodiscard]] bool outranks(const Saying& other) const {
    return state != other.state ? state > other.state : rank > other.rank;
  }
};

// What a frame that was heard on the LAN says, as far as this address is concerned. The runner makes it of the bytes;
// `from` tells senders apart (their hardware address).
struct Heard {
  enum class Kind {
    other,    // anything: somebody is there
    gateway,  // the gateway's answer to a request of ours
    probe,    // somebody asks for the address, and does not have it
    use,      // a reply, an announcement, any use: a kernel has it
    hello,    // a plumb says what it claims, and what it has heard from others
    gone,     // a claim was withdrawn or lost
    own,      // the same service on the same node: another process of it, and no rival
  };
  Kind kind = Kind::other;
  std::uint64_t from = 0;
  Saying saying;                // of hello and gone
  std::vector<Saying> relayed;  // of hello: claims that its sender has heard from others within the last 500 ms
};

}  // namespace plumb::claim
