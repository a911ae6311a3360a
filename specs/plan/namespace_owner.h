// Namespace owners: the containers whose namespaces others live in.
//
// Pure functions. Threads: any. Privilege: none.
#pragma once

#include "specs/service/service.h"

namespace plumb {

// Whether the container is the owner of a namespace that others join or an ip is plumbed in.
[[nodiscard]] bool owns_namespace(const Service& service, const ContainerResource& container);

}  // namespace plumb
