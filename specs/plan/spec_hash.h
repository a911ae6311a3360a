// The spec hash: a fingerprint of all that the engine is told of a container.
//
// Pure functions. Threads: any. Privilege: none.
#pragma once

#include <string>

#include "specs/service/service.h"

namespace plumb {

// Another one than that of the running container means that the spec has changed since: 16 hexadecimal digits.
[[nodiscard]] std::string spec_hash(const ContainerResource& container);

}  // namespace plumb
