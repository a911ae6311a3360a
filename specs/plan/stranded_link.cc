#include "specs/plan/stranded_link.h"

#include "specs/value/dedicated_mark.h"

namespace plumb {

std::vector<Step> remove_stranded_links(const std::string& resource, const ObservedContainer& have) {
  std::vector<Step> out;
  if (!have.netns) return out;
  for (const auto& link : have.netns->links) {
    if (link.name == "lo") continue;
    Step step;
    step.kind = StepKind::link_remove;
    step.resource = resource;
    step.container = resource;
    step.device = link.name;
    if (const auto mark = DedicatedMark::parse(link.alias)) {
      step.mode = IpMode::dedicated;
      step.parent = mark->device;
    }
    out.push_back(std::move(step));
  }
  return out;
}

}  // namespace plumb
