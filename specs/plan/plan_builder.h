// What the planner's two halves share: the builder of a plan's graph. Internal to specs.
//
// Threads: plain values. Privilege: none.
#pragma once

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "specs/plan/planner.h"

namespace plumb {

// `verb`: one that brings up.
[[nodiscard]] Result<Plan> plan_start(const Service& service, const Observed& seen, Verb verb);
// `verb`: one that takes away.
[[nodiscard]] Result<Plan> plan_stop(const Service& service, const Observed& seen, Verb verb);

// What must hold before anything is touched (precondition.cc). Errors: refused, not_found, conflict, with what to do.
// The service may run on this node.
[[nodiscard]] Result<void> check_node(const Service& service);
// The ip's device is there, up, has a carrier, and is of the kind that its mode needs; the kernel knows that kind of
// link. Not for type encap.
[[nodiscard]] Result<void> check_uplink(const Service& service, const IpResource& ip, const Observed& seen);
// The same for type encap in `home`, the namespace of its container.
[[nodiscard]] Result<void> check_device(const IpResource& ip, const ObservedNetns& home);
// The container has none of the addresses on another device.
[[nodiscard]] Result<void> check_container_has_not(const IpResource& ip, const std::vector<PlannedAddress>& addresses,
                                                   const ObservedNetns& home);
// The node itself has none of the addresses on another device: a probe asks the LAN, and would not hear that.
[[nodiscard]] Result<void> check_node_has_not(const Service& service, const IpResource& ip,
                                              const std::vector<PlannedAddress>& addresses, const Observed& seen);

// The link is of the ip's kind, on the ip's parent (plumbed.cc).
[[nodiscard]] bool link_fits(const IpResource& ip, const ObservedLink& link, const Observed& seen);
// In mode bridge: the other end of the link is no port of the bridge. Somebody took it out, or made the bridge anew.
[[nodiscard]] bool is_unplugged(const IpResource& ip, const ObservedLink& link, const Observed& seen);
// A running service has one of the addresses on a link that the configuration now wants to be another. As with a
// container that is left to a restart: what is plumbed works, and could not be put back if the start failed.
[[nodiscard]] bool plumbed_otherwise(const Service& service, const IpResource& ip,
                                     const std::vector<PlannedAddress>& addresses, const ObservedNetns& ns,
                                     const Observed& seen);
// The namespace has the default route that the address is to have, if it is to have one.
[[nodiscard]] bool has_planned_route(const ObservedNetns& ns, const PlannedAddress& address);

// The node's own macvlan on the parent, through which it reaches the addresses on that parent's other macvlans
// (plumbed.cc).
[[nodiscard]] const ObservedLink* host_link(const Observed& seen, const IpResource& ip);
// The node has a route to that very address through `link`.
[[nodiscard]] bool has_host_route(const ObservedNetns& node, const ObservedLink& link, const IpAddress& address);
// The ip asks for host access, and the node has no way to this address of it.
[[nodiscard]] bool lacks_host_access(const IpResource& ip, const IpAddress& address, const Observed& seen);
// What to say of the addresses that an earlier configuration gave to a container that still runs, in a namespace that
// plumb fills. They are not taken away: a first address takes the later ones of its subnet along (net/ipv4/devinet.c,
// __inet_del_ifa). `wanted`: those of this configuration.
[[nodiscard]] std::vector<std::string> extra_addresses(const Service& service, const ObservedContainer& container,
                                                       const std::set<IpAddress>& wanted);

// A container that the start waits for has ended with exit code 0, in the namespace that its owner has now
// (init_container.cc): it is not to run again as long as the service runs.
[[nodiscard]] bool ended_well(const Service& service, const Observed& seen, const ContainerResource& container);

// A step for the ip, with the place that its address lives in.
[[nodiscard]] Step step_for(StepKind kind, const Service& service, const IpResource& ip, const Observed& seen);

// The steps that remove the links of the namespace in which `have`, the container of `resource`, is stranded.
[[nodiscard]] std::vector<Step> remove_stranded_links(const std::string& resource, const ObservedContainer& have);

// Collects steps; the index of a step is its handle for `after`.
class PlanBuilder {
 public:
  explicit PlanBuilder(Verb verb) { plan_.verb = verb; }
  std::size_t add(Step step);
  void warn(std::string text) { plan_.warnings.push_back(std::move(text)); }
  [[nodiscard]] Plan& plan() { return plan_; }

 private:
  Plan plan_;
};

// Appends `index` where there is one.
inline void depend(std::vector<std::size_t>& after, const std::optional<std::size_t>& index) {
  if (index) after.push_back(*index);
}

// True when a resource of the service needs the engine.
[[nodiscard]] inline bool needs_engine(const Service& service) {
  for (const auto& c : service.containers)
    if (!c.disable) return true;
  return false;
}

}  // namespace plumb
