// Verbs that change a service: observe, plan, apply, and undo what was done when a step fails.
//
// Threads: from any, one verb at a time for each service; without `watching` it forks. Privilege: root, in effect; see
// plugin/verb/actions.h.
#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "plugin/node/service_lock.h"
#include "plugin/verb/actions.h"
#include "plugin/verb/executor.h"
#include "specs/plan/plan.h"
#include "specs/service/service.h"
#include "specs/status/status.h"

namespace plumb {

// A stretch of the critical path, for --timing.
struct TimedPart {
  std::string what;
  Clock::duration total{0};
  Clock::duration engine{0};  // of it, spent waiting for the engine
};

struct Outcome {
  std::optional<Error> error;
  std::string failed_step;   // in words; empty when the failure was no step's
  bool rolled_back = false;  // all that this run did is undone
  std::vector<std::string> undo_failures;
  std::vector<std::string> warnings;
  bool changed = false;            // false: there was nothing to do
  std::vector<std::string> steps;  // what was run, in the order of the plan
  std::vector<TimedPart> critical_path;
  Clock::duration elapsed{0};
  ServiceStatus after;  // of a start that went well
};

// Of a verb that the watcher runs: it goes on with the claims.
struct Watching {
  std::set<IpAddress> withheld;  // kept off their links by its claims, and left alone by the verb
};

// Runs the verb for the service under its lock. `stop` (a signal) undoes a start; a stop that is interrupted stays as
// far as it came and converges when it is run again.
[[nodiscard]] Outcome run_verb(const Service& service, Verb verb, const ServiceLock& lock, const OnPull& on_pull,
                               const std::stop_token& stop, const Watching* watching = nullptr);

// Whether who was not given the service's lock, by this error, cannot know what of it is here: another verb is at it,
// the files are not to be read, or a later plumb has written them.
[[nodiscard]] bool leaves_unknown(const Error& why);

// For who cannot take the service's lock since nothing can be written, as on a full /run: whether `verb`, a stop, has
// nothing to do. Nothing was recorded of the service, and nothing of it is here. `why`: the lock's error.
[[nodiscard]] bool needs_no_stop(const Service& service, Verb verb, const Error& why, const std::stop_token& stop);

// The plan that run_verb() would begin with. Errors as plan() and observe().
[[nodiscard]] Result<Plan> preview(const Service& service, Verb verb, const std::stop_token& stop);

// Errors (permission) when this process lacks a capability that plumbing needs.
[[nodiscard]] Result<void> check_privilege();

}  // namespace plumb
