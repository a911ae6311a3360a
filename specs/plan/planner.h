// The planner: what has to be done, and in which order, decided without touching anything.
//
// Pure functions. Threads: any. Privilege: none.
#pragma once

#include "specs/plan/observed.h"
#include "specs/plan/plan.h"
#include "specs/service/service.h"
#include "specs/value/result.h"

namespace plumb {

// Errors: refused (not this service's node), unreachable (engine), not_found (device, container, name), exists (a
// foreign container has the name), spec (address and gateway do not fit). An empty plan: nothing is to be done.
[[nodiscard]] Result<Plan> plan(const Service& service, const Observed& seen, Verb verb);

}  // namespace plumb
