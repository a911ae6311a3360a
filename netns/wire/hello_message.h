// HelloMessage: what a node says of its claims to the others on a LAN, from values to frames and back. Pure.
//
// They go in frames of plumb's own (netns/wire/plumb_frame.h).
//
// Threads: plain values. Privilege: none.
#pragma once

#include <linux/filter.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "netns/wire/frame.h"
#include "specs/value/ip.h"

namespace plumb::netns {

// One claim, as its holder or somebody who has heard of it says it.
struct HelloEntry {
  enum class What : std::uint8_t {
    claim = 1,    // the sender's own
    relayed = 2,  // of another node, heard by the sender within the last 500 ms
    gone = 3,     // the sender's own, withdrawn or lost
  };
  What what = What::claim;
  std::uint8_t state = 0;  // specs/claim/claim.h
  IpAddress address;
  Mac mac;                   // by which the address is, or will be, used; of a relayed claim: all zero
  std::uint64_t holder = 0;  // tells services of nodes apart; 0: not known
  std::uint64_t epoch = 0;   // this and the next two: the rank
  std::uint64_t nonce = 0;
  std::uint64_t id = 0;

  friend bool operator==(const HelloEntry&, const HelloEntry&) = default;
};

struct HelloMessage {
  std::string node;  // of the sender, 0 to 255 bytes
  std::vector<HelloEntry> entries;

  friend bool operator==(const HelloMessage&, const HelloMessage&) = default;
};

// The frames from `sender` to everybody, each of 60 to `largest` bytes: as many as the entries need, and none without
// any. A name that is too long is cut.
inline constexpr std::size_t kLargestHello = 1514;
// What a frame of one entry has at most, with the longest name.
inline constexpr std::size_t kLargestOfOne = 340;
[[nodiscard]] std::vector<Frame> encode_hello(const Mac& sender, std::string_view node,
                                              std::span<const HelloEntry> entries, std::size_t largest = kLargestHello);

// The message in an untagged frame; nullopt when it is no such frame, or a damaged one.
[[nodiscard]] std::optional<HelloMessage> decode_hello(std::span<const std::uint8_t> frame);

// Lets through what may be such a frame.
[[nodiscard]] std::vector<sock_filter> hello_filter();

}  // namespace plumb::netns
