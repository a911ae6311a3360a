// Whose answers for an address are the service's own: those of the devices where the address lives.
//
// A kernel may answer for an address on each device of the namespace that has it. On links of plumb's it does not
// (plugin/node/own_answers.h); on devices that are the node's or a container's own it does, as they are set.
//
// Pure functions. Threads: any. Privilege: none.
#pragma once

#include <set>

#include "specs/plan/observed.h"
#include "specs/service/service.h"
#include "specs/value/ip.h"

namespace plumb {

// The MACs that are no rival's when they claim an address of `ip`: those of all devices in namespaces of the service's
// containers, and for an address on the node itself those of the node's devices, its links to services (host_access)
// among them. The node's devices do not count for other addresses: they answer for one only when the node, or another
// service's ipvlan, has it, too, which is a rival. The links of another service are never among them.
[[nodiscard]] std::set<Mac> own_macs(const IpResource& ip, const Observed& seen);

}  // namespace plumb
