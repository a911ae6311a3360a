// What tests of claims ask of a LAN and of themselves.
//
// Threads: plain functions. Privilege: none.
#pragma once

#include <chrono>
#include <cstdlib>
#include <set>
#include <string>
#include <vector>

#include "tests/lab/capture.h"

namespace plumb::lab {

// Those that have said on the LAN that the address is theirs, by their MACs.
inline std::set<std::string> claimants(const std::vector<Frame>& frames, const std::string& address) {
  std::set<std::string> out;
  for (const auto& frame : frames) {
    if (const auto arp = frame.arp(); arp && arp->claims(address)) out.insert(arp->sender_mac);
    if (const auto n = frame.neighbour(); n && n->type == 136 && n->target == address) out.insert(n->source);
  }
  return out;
}

// The time between two rounds of starts on two nodes: 100 ms, unless PLUMB_OFFSET_STEP says otherwise.
inline std::chrono::milliseconds offset_step() {
  const char* text = std::getenv("PLUMB_OFFSET_STEP");  // NOLINT(concurrency-mt-unsafe): nobody sets one
  return std::chrono::milliseconds(text == nullptr ? 100 : std::strtol(text, nullptr, 10));
}

}  // namespace plumb::lab
