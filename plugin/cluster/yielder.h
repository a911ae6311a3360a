// Yielding a service's addresses to the node that asks for them: what migrate_to leaves behind on the node that has
// them.
//
// Pacemaker runs migrate_to here, then migrate_from there, then stop here. Everything but the addresses is started by
// the second, which takes as long as it takes; so the first leaves a process that waits for the request.
//
// Threads: forks, so the caller has one thread. Privilege: root, in effect.
#pragma once

#include "specs/service/service.h"
#include "specs/value/result.h"

namespace plumb {

// The process ends when it has yielded, or when a verb begins (plugin/verb/started.h, begin_yielding). Errors: the
// kernel's; none of the service's devices is there.
[[nodiscard]] Result<void> yield_when_asked(const Service& service);

}  // namespace plumb
