// What is left of a service, by what its start has recorded of it (plugin/verb/traces.h): the proof that an agent's
// stop needs when the engine does not answer.
//
// Threads: one; find_remains() makes and joins its own. Privilege: that of scan_node().
#pragma once

#include <string>

#include "plugin/node/node_scan.h"
#include "plugin/verb/traces.h"

namespace plumb {

// The first thing that was found, a few words; empty: all of it is gone. Gone is a service whose processes, and all
// others in its namespaces and control groups, have ended, and none of whose addresses is on the node. A process is
// known by its pid with its start, a namespace by its inode with its number; in another boot only addresses count.
[[nodiscard]] std::string find_remains(const Traces& traces);

// Whether a namespace without processes is one of the service's: any other may have an address of the same number, and
// is left alone. `boot`: the present one. Pure.
[[nodiscard]] bool is_of(const Traces& traces, const NodeScan::Abandoned& place, const std::string& boot);

// Of one look. Pure but for the processes and control groups that `traces` names, which are looked at here. `boot`:
// the present one.
[[nodiscard]] std::string find_remains(const Traces& traces, const NodeScan& scan, const std::string& boot);

}  // namespace plumb
