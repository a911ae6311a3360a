// From a container of the spec to what the engine is asked for, and the labels that say what is plumb's.
//
// Threads: pure. Privilege: none.
#pragma once

#include <map>
#include <string>

#include "docker_client/container.h"
#include "specs/service/service.h"

namespace plumb {

// State is derived from these, not stored (they are part of plumb's interface; see plumb(1)).
inline constexpr const char* kLabelService = "plumb.service";
inline constexpr const char* kLabelResource = "plumb.resource";
inline constexpr const char* kLabelSpecHash = "plumb.spec-hash";

// `image`: the reference to create it from. `ids`: by resource id, the containers of the service that there are
// already, among them all that it joins.
[[nodiscard]] docker::ContainerConfig container_config(const Service& service, const ContainerResource& container,
                                                       const std::string& image,
                                                       const std::map<std::string, std::string>& ids);

}  // namespace plumb
