// Doctor: looks at all that an address of a service needs to answer, and asks the network.
//
// Threads: one. Privilege: as for starting the service: it enters namespaces and sends probes.
#pragma once

#include <stop_token>
#include <vector>

#include "specs/service/service.h"
#include "specs/status/diagnosis.h"
#include "specs/value/result.h"

namespace plumb {

// What was found, in the order of the way of a packet. Takes about a quarter of a second for each address. Errors: what
// could not be looked at at all.
[[nodiscard]] Result<std::vector<Finding>> examine(const Service& service, const std::stop_token& stop);

}  // namespace plumb
