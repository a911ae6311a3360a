// Init containers, which the start waits for (detach = false): whether one has done its work for the service as it runs
// now.
//
// Pure functions. Threads: any. Privilege: none.
#pragma once

#include "specs/plan/observed.h"
#include "specs/service/service.h"

namespace plumb {

// It has ended with exit code 0, in the namespace that its owner has now: it is not to run again as long as the service
// runs.
[[nodiscard]] bool ended_well(const Service& service, const Observed& seen, const ContainerResource& container);

}  // namespace plumb
