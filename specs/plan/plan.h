// A plan: the graph of steps that brings a service from what was observed to what a verb asks for.
//
// A plan is a value: printed by `plumb plan`, run by plugin/verb/executor.h. Threads: plain values. Privilege: none.
#pragma once

#include <string>
#include <vector>

#include "specs/plan/step.h"
#include "specs/plan/verb.h"

namespace plumb {

struct Plan {
  Verb verb = Verb::start;
  std::vector<Step> steps;  // in an order that respects `after`
  bool partial = false;     // after these steps, observe and plan again: the engine could not be asked yet
  std::vector<std::string> warnings;

  [[nodiscard]] bool empty() const { return steps.empty() && !partial; }
};

}  // namespace plumb
