#include "specs/plan/planner.h"

#include "specs/plan/plan_start.h"
#include "specs/plan/plan_stop.h"

namespace plumb {

Result<Plan> plan(const Service& service, const Observed& seen, Verb verb) {
  return brings_up(verb) ? plan_start(service, seen, verb) : plan_stop(service, seen, verb);
}

}  // namespace plumb
