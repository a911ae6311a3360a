// Plans as the planner's tests look at them.
//
// Threads: one. Privilege: none.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <variant>

#include "specs/plan/planner.h"

namespace plumb::test {

inline Plan must_plan(const Service& service, const Observed& seen, Verb verb) {
  auto out = plan(service, seen, verb);
  REQUIRE_MESSAGE(out.has_value(), (out ? std::string() : out.error().what));
  return *std::move(out);
}

inline std::string kinds(const Plan& plan) {
  std::string out;
  for (const auto& step : plan.steps) {
    if (!out.empty()) out += ' ';
    out += step.kind();
    if (!step.resource.empty()) out += "(" + step.resource + ")";
  }
  return out;
}

inline std::size_t index_of(const Plan& plan, std::string_view kind, const std::string& resource) {
  for (std::size_t i = 0; i < plan.steps.size(); ++i)
    if (plan.steps[i].kind() == kind && plan.steps[i].resource == resource) return i;
  FAIL("no step ", std::string(kind), " for ", resource);
  return 0;
}

// The step's operands as those of the kind that it must be.
template <typename Operation>
const Operation& operand(const Step& step) {
  const auto* found = std::get_if<Operation>(&step.operation);
  REQUIRE_MESSAGE(found != nullptr, describe(step));
  return *found;
}

// Whether `later` cannot begin before `earlier` has ended.
inline bool comes_after(const Plan& plan, std::size_t later, std::size_t earlier) {
  const auto& after = plan.steps[later].after;
  return std::any_of(after.begin(), after.end(),
                     [&](std::size_t i) { return i == earlier || comes_after(plan, i, earlier); });
}

}  // namespace plumb::test
