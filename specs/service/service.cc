#include "specs/service/service.h"

#include <algorithm>

namespace plumb {

bool Resource::has_tag(std::string_view word) const { return std::find(tags.begin(), tags.end(), word) != tags.end(); }

bool Service::has_node(std::string_view other) const {
  const auto lists = [&](const std::vector<std::string>& list) {
    return std::find(list.begin(), list.end(), other) != list.end();
  };
  return lists(nodes) || lists(drpnodes);
}

bool Service::has_standby() const {
  const auto waits = [](const Resource& r) { return r.standby && !r.disable; };
  return std::any_of(ips.begin(), ips.end(), waits) || std::any_of(containers.begin(), containers.end(), waits);
}

const ContainerResource* Service::container(std::string_view id) const {
  const auto found = std::find_if(containers.begin(), containers.end(), [&](const auto& c) { return c.id == id; });
  return found == containers.end() ? nullptr : &*found;
}

std::vector<const ContainerResource*> Service::joined_by(const ContainerResource& joining) const {
  std::vector<const ContainerResource*> out;
  for (const auto member : kJoinedNamespaces)
    if (const auto* found = container(joining.*member);
        found != nullptr && std::find(out.begin(), out.end(), found) == out.end())
      out.push_back(found);
  return out;
}

}  // namespace plumb
