// What is refused when a network is made, since none of its containers could be started.
//
// Threads: safe from any. Privilege: none.
#pragma once

#include "plugin/driver/record/record.h"
#include "specs/value/result.h"

namespace plumb::driver {

// Of a network whose parent has been found good for that mode (plugin/driver/parent.h). Errors: spec: a gateway that is
// no machine's, or that two words contradict each other about; refused: packets larger than the parent's, or too small
// for IPv6.
[[nodiscard]] Result<void> check_network(const NetworkRecord& network, IpMode mode);

}  // namespace plumb::driver
