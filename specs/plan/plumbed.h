// What is plumbed already, held against what the configuration wants.
//
// Pure functions. Threads: any. Privilege: none.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "specs/plan/observed.h"
#include "specs/plan/planned_address.h"
#include "specs/service/service.h"
#include "specs/value/ip.h"

namespace plumb {

// The link is of the ip's kind, on the ip's parent.
[[nodiscard]] bool link_fits(const IpResource& ip, const ObservedLink& link, const Observed& seen);
// In mode bridge: the other end of the link is no port of the bridge. Somebody took it out, or made the bridge anew.
[[nodiscard]] bool is_unplugged(const IpResource& ip, const ObservedLink& link, const Observed& seen);
// A running service has one of the addresses on a link that the configuration now wants to be another. As with a
// container that is left to a restart: what is plumbed works, and could not be put back if the start failed.
[[nodiscard]] bool plumbed_otherwise(const Service& service, const IpResource& ip,
                                     const std::vector<PlannedAddress>& addresses, const ObservedNetns& ns,
                                     const Observed& seen);
// What to say of the addresses that an earlier configuration gave to a container that still runs, in a namespace that
// plumb fills. They are not taken away: a first address takes the later ones of its subnet along (net/ipv4/devinet.c,
// __inet_del_ifa). `wanted`: those of this configuration.
[[nodiscard]] std::vector<std::string> extra_addresses(const Service& service, const ObservedContainer& container,
                                                       const std::set<IpAddress>& wanted);

}  // namespace plumb
