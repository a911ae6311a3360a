#include "specs/plan/plan_builder.h"

#include "specs/plan/parent_link.h"
#include "specs/plan/planned_address.h"
#include "specs/service/uplink.h"

namespace plumb {

Step step_for(StepKind kind, const Service& service, const IpResource& ip, const Observed& seen) {
  Step step;
  step.kind = kind;
  step.resource = ip.id;
  step.parent = uplink(ip);
  step.optional = ip.optional;
  if (ip.type == IpType::netns) {
    step.container = ip.netns;
    step.device = planned_device(service, ip);
    step.mode = planned_mode(ip, seen);
    step.probe_inside = probed_from_link(step.mode);
  } else {
    step.device = uplink(ip);
    step.probe_inside = ip.type == IpType::encap;
    if (step.probe_inside) step.container = ip.netns;
  }
  return step;
}

std::size_t PlanBuilder::add(Step step) {
  plan_.steps.push_back(std::move(step));
  return plan_.steps.size() - 1;
}

}  // namespace plumb
