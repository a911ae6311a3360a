// Checks of who joins whose namespace.
//
// Threads: one load's own. Privilege: none.
#pragma once

#include "specs/language/report.h"
#include "specs/service/draft.h"

namespace plumb {

// The part of check_across() (specs/service/resource_checks.h) that is about namespaces.
void check_namespaces(Draft& draft, Report& report);

}  // namespace plumb
