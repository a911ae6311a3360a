// The plan of a verb that brings up.
//
// Pure functions. Threads: any. Privilege: none.
#pragma once

#include "specs/plan/observed.h"
#include "specs/plan/plan.h"
#include "specs/service/service.h"
#include "specs/value/result.h"

namespace plumb {

// `verb`: one that brings up. Errors: as plan() of planner.h.
[[nodiscard]] Result<Plan> plan_start(const Service& service, const Observed& seen, Verb verb);

}  // namespace plumb
