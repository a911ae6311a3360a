// Looking at a service without its engine: which of its addresses does the kernel have, in any namespace of the node?
//
// A namespace lives as long as a process is in it, so an address in none means that no process of the service is left
// where it was plumbed. Containers that outlive their engine (live-restore, a killed dockerd) are seen by this.
//
// Threads: one; it makes and joins its own. Privilege: CAP_SYS_ADMIN and CAP_SYS_PTRACE, to enter the namespaces.
#pragma once

#include "plugin/cluster/ocf_code.h"
#include "specs/service.h"

namespace plumb {

// Addresses that are disabled, optional or on standby do not count.
[[nodiscard]] Unseen look_without_engine(const Service& service);

}  // namespace plumb
