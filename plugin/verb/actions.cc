#include "plugin/verb/actions.h"

#include <cstdlib>

#include "plugin/node/open_vswitch.h"

namespace plumb {

void Actions::adopt(const Observation& observation) {
  const std::lock_guard lock(mutex_);
  for (const auto& [resource, container] : observation.seen.containers) ids_[resource] = container.id;
  for (const auto& [resource, ns] : observation.namespaces) {
    auto& place = places_[resource];
    if (place && place->ns && netns::same(*place->ns, *ns)) continue;
    place = std::make_shared<Place>();
    place->ns = ns;
  }
}

Result<void> Actions::perform(const Step& step, const std::stop_token& stop) {
  switch (step.kind) {
    case StepKind::engine_start: return start_engine(step, stop);
    case StepKind::engine_stop: return engine_.stop();
    case StepKind::image_ensure: return ensure_image(step, stop);
    case StepKind::address_probe: return probe_address(step, stop);
    case StepKind::address_request: return request_addresses(step, stop);
    case StepKind::container_retire: return retire_container(step, stop);
    case StepKind::container_create: return create_container(step, stop);
    case StepKind::container_start: return start_container(step, stop);
    case StepKind::link_create: return create_link(step);
    case StepKind::address_add: return add_address(step, stop);
    case StepKind::route_set: return set_route(step);
    case StepKind::host_access_grant: return grant_host_access(step);
    case StepKind::host_access_revoke: return revoke_host_access(step);
    case StepKind::vlan_take: return take_vlan(step);
    case StepKind::vlan_release: return release_vlan(step);
    case StepKind::ovs_release: return release_switch_ports(service_.name, step.resource);
    case StepKind::address_announce: return announce(step);
    case StepKind::container_stop: return stop_container(step, stop);
    case StepKind::container_remove: return remove_container(step, stop);
    case StepKind::address_remove: return remove_address(step);
    case StepKind::address_yield: return yield_addresses();
    case StepKind::link_remove_stale:
    case StepKind::link_remove: return remove_link(step);
  }
  return Err{ErrorKind::failed, "unknown step"};
}

std::set<IpAddress> Actions::probed_free() {
  const std::lock_guard lock(mutex_);
  return probed_;
}

std::vector<Claimed> Actions::take_claimed() {
  const std::lock_guard lock(mutex_);
  return std::exchange(claimed_, {});
}

void Actions::book(const Step& step, Undo undo) {
  if (undo_ != nullptr) undo_->push(describe(step), std::move(undo));
}

// The planner names resources of this very service, so these cannot miss.
const ContainerResource& Actions::container_of(const Step& step) const {
  const auto* found = service_.container(step.resource);
  return found != nullptr ? *found : (std::abort(), service_.containers.front());
}

const IpResource& Actions::ip_of(const Step& step) const {
  for (const auto& ip : service_.ips)
    if (ip.id == step.resource) return ip;
  std::abort();
}

std::string Actions::id_of(const Step& step) {
  if (!step.container_id.empty()) return step.container_id;
  const std::lock_guard lock(mutex_);
  const auto found = ids_.find(step.resource);
  return found == ids_.end() ? step.container_name : found->second;
}

Result<std::shared_ptr<Actions::Place>> Actions::place(const std::string& container) {
  std::shared_ptr<Place> out;
  {
    const std::lock_guard lock(mutex_);
    auto& entry = places_[container];
    if (!entry) {
      if (!container.empty())
        return Err{ErrorKind::not_found, "the network namespace of " + container + ": it does not run"};
      entry = std::make_shared<Place>();
    }
    out = entry;
  }
  const std::lock_guard lock(out->mutex);
  if (!out->ns) out->ns = std::make_shared<const netns::Namespace>(TRY(netns::Namespace::current()));
  if (!out->socket) out->socket = TRY(netns::RouteSocket::open(*out->ns));
  return out;
}

}  // namespace plumb
