// PlanBuilder: collects the steps of a plan.
//
// Threads: plain values. Privilege: none.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "specs/plan/plan.h"
#include "specs/service/service.h"

namespace plumb {

// Where the ip's addresses live: on its link in the container, on the container's own device, or on the node's.
[[nodiscard]] Place place_of(const Service& service, const IpResource& ip);

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
