// Where the default route of an address is: in the namespace's main table, which has one for each family, or in the
// table that its link has to itself, or in both.
//
// Pure functions. Threads: any. Privilege: none.
#pragma once

#include "specs/plan/observed.h"
#include "specs/plan/planned_address.h"
#include "specs/service/service.h"

namespace plumb {

// Whether the service has another link in the namespace of this one's ip: then each has a table
// (plugin/node/own_way.h).
[[nodiscard]] bool has_neighbour_link(const Service& service, const IpResource& ip);

// Whether the main table's is the ip's: of those of a namespace that have one, it is the first one's in the
// configuration. What has no table to itself has it there in any case.
[[nodiscard]] bool has_main_route(const Service& service, const IpResource& ip, bool v6);

// The namespace has the default route that the address is to have, if it is to have one, wherever it is to be.
[[nodiscard]] bool has_planned_route(const Service& service, const IpResource& ip, const ObservedNetns& ns,
                                     const PlannedAddress& address);

}  // namespace plumb
