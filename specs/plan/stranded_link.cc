#include "specs/plan/stranded_link.h"

#include "specs/value/dedicated_mark.h"

namespace plumb {

std::vector<LinkRemove> remove_stranded_links(const std::string& resource, const ObservedContainer& have) {
  std::vector<LinkRemove> out;
  if (!have.netns) return out;
  for (const auto& link : have.netns->links) {
    if (link.name == "lo") continue;
    LinkRemove remove{{resource, link.name}, std::nullopt};
    if (auto mark = DedicatedMark::parse(link.alias)) remove.origin = std::move(mark->device);
    out.push_back(std::move(remove));
  }
  return out;
}

}  // namespace plumb
