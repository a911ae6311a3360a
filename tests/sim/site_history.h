// Histories of a service on a few nodes, made of a number: verbs that are killed, fail and hang, moves, hand-overs,
// what dies under a watcher.
//
// Threads: pure. Privilege: none.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "tests/sim/site.h"

namespace plumb::sim {

enum class SiteFault {
  start_killed,     // at any effect, and started again
  start_fails,      // at any step, and is started again
  start_hangs,      // at any step, while another node starts
  two_starts,       // within a second
  stop_killed,      // at any effect, stopped again, then started elsewhere
  move,             // stopped here, started there: after that, or meanwhile
  handover,         // prepared there, activated there, stopped here, in any order
  migrate,          // the same, by a process that yields when it is asked
  handover_cut,     // the node that has the addresses is not heard
  handover_killed,  // a process of it dies
  container_ends,   // under the watcher
  engine_ends,
  watcher_killed,   // and something of the service ends meanwhile
  address_removed,  // by a stranger
  taken_over,       // the cable of its node is out while another one starts
  stranded,         // the same, and the owner of its namespace ends, while a sibling keeps the namespace
  fenced,           // its node loses its power, and another one starts
  failing,          // what is down can not be healed for a while
  many,             // some of these, one after the other
};
constexpr std::size_t kSiteFaults = 19;

[[nodiscard]] std::string_view to_string(SiteFault fault);

struct SiteOutcome {
  Site::Account account;
  std::optional<Time> settled;  // from the last fault until it is whole on one node and nobody else answers, for good
  bool right_place = true;      // that node is the one that it has to be
  bool clean = true;            // what failed or was stopped has left nothing
  std::string story;
};

[[nodiscard]] SiteOutcome run_site_history(SiteFault fault, std::uint64_t seed, SiteSettings settings,
                                           bool trace = false);

}  // namespace plumb::sim
