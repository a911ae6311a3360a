// What a network namespace holds, as the planner and the status see it.
//
// Threads: any. Privilege: CAP_SYS_ADMIN, to enter a namespace that is not the caller's.
#pragma once

#include "netns/namespace/namespace.h"
#include "specs/plan/observed.h"
#include "specs/value/result.h"

namespace plumb {

enum class Routes { yes, for_host_links };

// Its links and addresses, and its routes, or these only where one of the node's own links to services is there.
// Errors: the kernel's.
[[nodiscard]] Result<ObservedNetns> read_netns(const netns::Namespace& ns, Routes which);

}  // namespace plumb
