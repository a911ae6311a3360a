#include "specs/plan/init_container.h"

#include <algorithm>
#include <string>
#include <string_view>

namespace plumb {

namespace {

const ObservedContainer* find(const Observed& seen, const std::string& id) {
  const auto found = seen.containers.find(id);
  return found == seen.containers.end() ? nullptr : &found->second;
}

// "2026-01-31T10:00:00.5Z" with all nine digits of the fraction and without the zone: Go's RFC 3339 leaves trailing
// zeros out, so the texts do not compare as they are. One engine gives all its times in one zone.
std::string comparable(std::string_view time) {
  constexpr std::size_t kSeconds = 19;
  const auto zone = time.find_first_of("Z+-", std::min(kSeconds, time.size()));
  std::string out(time.substr(0, zone));
  if (out.size() == kSeconds) out += '.';
  out.resize(std::max<std::size_t>(out.size(), kSeconds + 10), '0');
  return out;
}

bool began_before(const ObservedContainer& one, const ObservedContainer& other) {
  return !one.started_at.empty() && !other.started_at.empty() &&
         comparable(one.started_at) < comparable(other.started_at);
}

// Without a namespace of another container nothing tells to which start it belongs: to that of those that run.
bool service_runs(const Service& service, const Observed& seen) {
  const auto lasts = [](const ContainerResource& c) { return c.detach && !c.disable; };
  const auto runs = [&](const ContainerResource& c) {
    const auto* have = find(seen, c.id);
    return lasts(c) && have != nullptr && have->running;
  };
  return std::none_of(service.containers.begin(), service.containers.end(), lasts) ||
         std::any_of(service.containers.begin(), service.containers.end(), runs);
}

}  // namespace

bool ended_well(const Service& service, const Observed& seen, const ContainerResource& c) {
  const auto* have = find(seen, c.id);
  if (c.detach || have == nullptr || have->running || have->state != "exited" || have->exit_code != 0 ||
      have->service != service.name)
    return false;
  const auto* owner = service.container(c.netns);
  if (owner == nullptr) return service_runs(service, seen);
  const auto* lender = find(seen, owner->id);
  return lender != nullptr && lender->running && have->network_mode == "container:" + lender->id &&
         !began_before(*have, *lender);
}

}  // namespace plumb
