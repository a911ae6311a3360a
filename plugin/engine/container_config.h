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

// A host name made of a service's name: at most 63 bytes of letters, digits and hyphens (RFC 1123 section 2.1). Pure.
[[nodiscard]] std::string host_name_for(const std::string& service);

}  // namespace plumb
