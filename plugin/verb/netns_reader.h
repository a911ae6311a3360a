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
// With VlanUse::yes also who uses the VLAN devices of plumb's there, or why that cannot be read: a later plumb has
// left the file of one. Errors: the kernel's.
enum class VlanUse { yes, no };
[[nodiscard]] Result<ObservedNetns> read_netns(const netns::Namespace& ns, Routes which, VlanUse use = VlanUse::no);

}  // namespace plumb
