// Looking at a service without its engine: which of its addresses does the kernel have, in any namespace of the node?
//
// A process of the service is in the namespace where its addresses are, unless somebody has taken them away there: an
// address in none is no proof that none is left. That is in plugin/cluster/remains.h.
// Containers that outlive their engine (live-restore, a killed dockerd) are seen by this. The other way round an engine
// that is killed together with its containers leaves their namespaces bound to files, addresses included.
//
// Threads: one; it makes and joins its own. Privilege: CAP_SYS_ADMIN and CAP_SYS_PTRACE, to enter the namespaces.
#pragma once

#include <optional>

#include "plugin/cluster/ocf_code.h"
#include "plugin/verb/traces.h"
#include "specs/service/service.h"

namespace plumb {

// Addresses that are disabled, optional or on standby do not count. With `traces` they are those of the start, whatever
// their names mean by now.
[[nodiscard]] KernelView look_without_engine(const Service& service, const std::optional<Traces>& traces);

// Takes the service's addresses from its namespaces without a process, as its start has recorded them: their links are
// removed, or, where a link is a device of the node, the address. Without a record nothing is touched. What could not
// be removed is found by the next look. Needs CAP_NET_ADMIN.
void withdraw_abandoned(const Service& service, const std::optional<Traces>& traces);

}  // namespace plumb
