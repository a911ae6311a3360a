// PlannedAddress: an address of an ip resource as it will be plumbed, and the device that it goes on.
//
// Pure functions. Threads: any. Privilege: none.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "specs/plan/observed.h"
#include "specs/service/service.h"
#include "specs/value/ip.h"
#include "specs/value/result.h"

namespace plumb {

struct PlannedAddress {
  Cidr cidr;
  std::optional<IpAddress> gateway;  // of the same family
  bool direct = false;               // the default route goes straight out of the link, by no gateway
};

// The addresses of `ip`, names resolved by `seen.names`. Errors: not_found.
[[nodiscard]] Result<std::vector<IpAddress>> resolved_addresses(const IpResource& ip, const Observed& seen);

// The addresses of `ip` with their prefixes: names resolved by `seen.names`, the netmask defaulted from the device's
// first address of the family. Errors: not_found (name or device), spec (no netmask to be had, gateway not in the
// subnet).
[[nodiscard]] Result<std::vector<PlannedAddress>> planned_addresses(const IpResource& ip, const Observed& seen);

// The address whose netmask counts for this one of `ip`; nullptr: it has a netmask of its own, or there is none to
// take.
[[nodiscard]] const ObservedAddress* netmask_giver(const IpResource& ip, const IpAddress& address,
                                                   const Observed& seen);

// The name of the device in the namespace: nsdev, else eth<n> with n counting the namespace's ip resources.
[[nodiscard]] std::string planned_device(const Service& service, const IpResource& ip);

}  // namespace plumb
