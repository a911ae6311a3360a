// The device of the node that an ip is plumbed on, as it was observed.
//
// Pure functions. Threads: any. Privilege: none.
#pragma once

#include "specs/plan/observed.h"
#include "specs/service/service.h"

namespace plumb {

// bridge if ipdev is a bridge, else macvlan, when the spec leaves the mode open.
[[nodiscard]] IpMode planned_mode(const IpResource& ip, const Observed& seen);

// A device of the node that is given to a container: as it is called in the spec, or under the name that it has come
// home with after its container died.
[[nodiscard]] const ObservedLink* dedicated_on_node(const IpResource& ip, const Observed& seen);

}  // namespace plumb
