// PlanBuilder: collects the steps of a plan.
//
// Threads: plain values. Privilege: none.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "specs/plan/observed.h"
#include "specs/plan/plan.h"
#include "specs/service/service.h"

namespace plumb {

// A step for the ip, with the place that its address lives in.
[[nodiscard]] Step step_for(StepKind kind, const Service& service, const IpResource& ip, const Observed& seen);

// Collects steps; the index of a step is its handle for `after`.
class PlanBuilder {
 public:
  explicit PlanBuilder(Verb verb) { plan_.verb = verb; }
  std::size_t add(Step step);
  void warn(std::string text) { plan_.warnings.push_back(std::move(text)); }
  [[nodiscard]] Plan& plan() { return plan_; }

 private:
  Plan plan_;
};

// Appends `index` where there is one.
inline void depend(std::vector<std::size_t>& after, const std::optional<std::size_t>& index) {
  if (index) after.push_back(*index);
}

}  // namespace plumb
