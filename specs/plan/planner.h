// The planner: what has to be done, and in which order, decided without touching anything.
//
// Pure functions. Threads: any. Privilege: none.
#pragma once

#include <string>
#include <vector>

#include "specs/plan/observed.h"
#include "specs/plan/plan.h"
#include "specs/service/service.h"
#include "specs/value/result.h"

namespace plumb {

// One address of an ip resource as it will be plumbed.
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

// The name of the device in the namespace: nsdev, else eth<n> with n counting the namespace's ip resources.
[[nodiscard]] std::string planned_device(const Service& service, const IpResource& ip);

// The name of the node's own macvlan on the device with that index.
[[nodiscard]] std::string host_link_name(int parent_index);
// Whether a link of the node is one of these.
[[nodiscard]] bool is_host_link(const ObservedLink& link);

// A fingerprint of all that the engine is told of a container: another one means that the spec has changed since.
[[nodiscard]] std::string spec_hash(const ContainerResource& container);

// Whether the container is the owner of a namespace that others join or an ip is plumbed in.
[[nodiscard]] bool owns_namespace(const Service& service, const ContainerResource& container);

// Errors: refused (not this service's node), unreachable (engine), not_found (device, container, name), exists (a
// foreign container has the name), spec (address and gateway do not fit). An empty plan: nothing is to be done.
[[nodiscard]] Result<Plan> plan(const Service& service, const Observed& seen, Verb verb);

}  // namespace plumb
