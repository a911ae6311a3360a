// HandoverMessage: what two nodes say to each other while the addresses of a service go from the one to the other, from
// a value to a frame and back. Pure.
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
#include <vector>

#include "netns/wire/frame.h"
#include "specs/value/ip.h"

namespace plumb::netns {

enum class HandoverWord : std::uint8_t {
  request = 1,    // "all is ready here: withdraw the addresses, and tell me so by my number"
  withdrawn = 2,  // "I have them no more; they are for who has asked with that number"; 0: "who wants them?"
};

struct HandoverMessage {
  HandoverWord word = HandoverWord::request;
  std::uint64_t number = 0;  // of one request, at random, so that no other can take the answer for its own
  std::string service;       // 1 to 255 bytes
  std::string node;          // of the sender, 0 to 255 bytes

  friend bool operator==(const HandoverMessage&, const HandoverMessage&) = default;
};

// The frame from `sender` to everybody, of 60 bytes or more. Names that are too long are cut.
[[nodiscard]] Frame encode_handover(const Mac& sender, const HandoverMessage& message);

// The message in an untagged frame; nullopt when it is no such frame.
[[nodiscard]] std::optional<HandoverMessage> decode_handover(std::span<const std::uint8_t> frame);

// Lets through what may be such a frame; not those of somebody else's experiment.
[[nodiscard]] std::vector<sock_filter> handover_filter();

}  // namespace plumb::netns
