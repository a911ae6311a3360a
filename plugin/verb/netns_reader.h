// What a network namespace holds, as the planner and the status see it.
//
// Threads: any. Privilege: CAP_SYS_ADMIN, to enter a namespace that is not the caller's.
#pragma once

#include "netns/namespace/namespace.h"
#include "specs/plan/observed.h"
#include "specs/service/service.h"
#include "specs/value/result.h"

namespace plumb {

enum class Routes { yes, for_host_links };

// Its links and addresses, and its routes, or these only where one of the node's own links to services is there.
// `on_node`: of the node's own, also who uses the VLAN devices of plumb's there; a later plumb's file of one is refused
// if the service is to be on it, and is nothing to the others. Errors: the kernel's, and for that unsupported.
[[nodiscard]] Result<ObservedNetns> read_netns(const netns::Namespace& ns, Routes which,
                                               const Service* on_node = nullptr);

}  // namespace plumb
