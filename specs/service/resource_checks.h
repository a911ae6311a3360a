// Checks across the resources of a service: what no section shows alone.
//
// Threads: one load's own. Privilege: none.
#pragma once

#include "specs/language/report.h"
#include "specs/service/draft.h"

namespace plumb {

// References between resources, one address or name used twice, gateways and subnets. Decides which containers are
// existing ones, which run the built-in pause image, and in which one an encapsulated address lives.
void check_across(Draft& draft, Report& report);

}  // namespace plumb
