#include "specs/service.h"

#include <algorithm>

namespace plumb {

const ContainerResource* Service::container(std::string_view id) const {
  const auto found = std::find_if(containers.begin(), containers.end(), [&](const auto& c) { return c.id == id; });
  return found == containers.end() ? nullptr : &*found;
}

std::vector<const ContainerResource*> Service::joined_by(const ContainerResource& joining) const {
  std::vector<const ContainerResource*> out;
  for (const auto* id : {&joining.netns, &joining.pidns, &joining.ipcns, &joining.utsns})
    if (const auto* found = container(*id); found != nullptr && std::find(out.begin(), out.end(), found) == out.end())
      out.push_back(found);
  return out;
}

}  // namespace plumb
