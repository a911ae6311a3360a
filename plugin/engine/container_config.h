// From a container of the spec to what the engine is asked for.
//
// Threads: pure. Privilege: none.
#pragma once

#include <map>
#include <string>

#include "docker_client/container.h"
#include "specs/service/service.h"

namespace plumb {

// `image`: the reference to create it from. `ids`: by resource id, the containers of the service that there are
// already, among them all that it joins.
[[nodiscard]] docker::ContainerConfig container_config(const Service& service, const ContainerResource& container,
                                                       const std::string& image,
                                                       const std::map<std::string, std::string>& ids);

}  // namespace plumb
