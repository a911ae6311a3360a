#include "specs/plan/namespace_owner.h"

#include <algorithm>

namespace plumb {

bool owns_namespace(const Service& service, const ContainerResource& container) {
  const auto is_it = [&](const auto& r) { return r.netns == container.id; };
  return std::any_of(service.ips.begin(), service.ips.end(), is_it) ||
         std::any_of(service.containers.begin(), service.containers.end(), is_it);
}

}  // namespace plumb
