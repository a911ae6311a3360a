// What the watcher does about a service that it has looked at: nothing, a start, or a start later; and what it leaves.
//
// Pure, with the time as an argument. Healing is the verb start, so whether there is something to heal is whether start
// has something to do. What is the watcher's own is only patience: how often a container that ended by itself is
// restarted (`restart`), and how long a heal waits after others. Threads: plain values. Privilege: none.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "specs/plan/observed.h"
#include "specs/service/service.h"

namespace plumb::watch {

using Time = std::chrono::steady_clock::time_point;

// A container that has run for so long after a restart has its restarts back.
inline constexpr std::chrono::minutes kForgetRestarts{10};
// Containers end together when their engine or their namespace's owner does, and the owner's end is not always told
// first: one that was left down is taken up again when the owner, or the engine, goes within that time.
inline constexpr std::chrono::seconds kSameBlow{30};
// So many heals of a service in a minute are not held back: an operator's three mistakes. Further ones are.
inline constexpr std::size_t kFreeHeals = 5;

// 1, 2, 4, ... 60 s.
[[nodiscard]] std::chrono::seconds backoff(unsigned times);

// Of one container.
struct Restarts {
  int count = 0;            // in a row
  std::optional<Time> due;  // of the next
  std::optional<Time> last;
  std::optional<Time> given_up;
};

// What has to be remembered of a service from look to look.
struct Memory {
  std::map<std::string, Restarts> restarts;  // by container
  std::set<std::string> unfinished;          // containers that a heal which failed was to bring up
  unsigned failures = 0;                     // heals in a row that failed
  std::vector<Time> heals;                   // of the last minute
  Time not_before{};                         // the next heal
  std::string said;                          // the last failure, which is not said twice
};

struct Decision {
  bool heal = false;
  bool whole = false;       // the service is up, and nothing of it is left down
  bool away = false;        // the engine does not answer: nothing can be seen
  std::optional<Time> due;  // look again then
  Service service;          // what is to be started: without the containers that are left down, and without rollback
  std::vector<std::string> reasons;   // why, in words: "container#0 is down"
  std::vector<std::string> notes;     // to be reported
  std::vector<std::string> restarts;  // containers that ended by themselves, and are now restarted
  std::optional<Error> obstacle;      // why nothing can be seen, or start has no plan
};

[[nodiscard]] Decision decide(const Service& service, const Observed& seen, Memory& memory, Time now);

// A heal for `decision` begins, or has ended. `step` is the failed step in words; empty: all steps were carried out,
// and the service is not up all the same, so that what is down now is so by itself.
void heal_begins(Memory& memory, const Decision& decision, Time now);
void heal_ended(Memory& memory, bool well, const std::string& step, Time now);
// The engine went away: what ended shortly before did so because of that.
void engine_lost(Memory& memory, Time now);

}  // namespace plumb::watch
