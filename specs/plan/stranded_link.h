// Stranded links: those in the namespace of a container that is no longer the one its service lives in.
//
// Pure functions. Threads: any. Privilege: none.
#pragma once

#include <string>
#include <vector>

#include "specs/plan/observed.h"
#include "specs/plan/step.h"

namespace plumb {

// What removes the links of the namespace in which `have`, the container of `resource`, is stranded.
[[nodiscard]] std::vector<LinkRemove> remove_stranded_links(const std::string& resource, const ObservedContainer& have);

}  // namespace plumb
