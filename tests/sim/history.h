// Histories: what happens to a few nodes and their LAN, made of a number, so that one can be told again.
//
// Threads: pure. Privilege: none.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "tests/sim/world.h"

namespace plumb::sim {

enum class Fault {
  loss,       // of frames
  slow,       // links of 200 ms
  power_on,   // all at once
  operators,  // two at once
  hang,       // what the address waits for hangs
  partition,
  one_way,   // all that a node hears, or all that it says
  one_pair,  // one way or both between two nodes
  cable,
  flap,  // of less than a second
  spanning_tree,
  stopped,        // process
  paused,         // machine
  unnoticed,      // machine, which does not know
  killed,         // process
  stopped_cable,  // the process stands still while the cable is out and another node starts
  killed_cable,
  killed_apart,  // the owner's process, shortly before a node comes back that was cut off and has claimed blindly
  rival,         // a host that is no plumb takes the address
  move,          // withdrawn here, started there
  fenced,        // its node loses its power, then another one starts
  tie,           // two at once, on a LAN that loses frames, or is slow
  stood_asking,  // a process that stands still while it asks, too short to notice, and another one starts
  mute,          // the owner's process stands still on a LAN that loses frames, and who lost asks again and again
  outlived,      // who lost sees the owner withdraw, or lose its power
  mixed,
};
constexpr std::size_t kFaults = 26;

[[nodiscard]] std::string_view to_string(Fault fault);

struct Outcome {
  Time doubled{0};  // the longest time for which two that hear each other answered
  // From the last fault until there is one owner that stays until the end; nothing: none, or more, are left.
  std::optional<Time> settled;
  std::size_t displaced = 0;  // healthy owners
  bool silent_loss = false;
  std::string story;
};

// Runs the history of the number. `settings`: of the machine and its runner; what belongs to the history is drawn.
[[nodiscard]] Outcome run_history(Fault fault, std::uint64_t seed, WorldSettings settings, bool trace = false);

}  // namespace plumb::sim
