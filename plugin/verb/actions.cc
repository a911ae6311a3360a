#include "plugin/verb/actions.h"

#include <cstdlib>
#include <variant>

#include "plugin/node/open_vswitch.h"
#include "specs/plan/planned_address.h"
#include "specs/value/overloaded.h"

namespace plumb {

void Actions::adopt(const Observation& observation) {
  claims_.adopt(observation.seen);
  const std::lock_guard lock(mutex_);
  for (const auto& ip : service_.ips)
    if (auto resolved = resolved_addresses(ip, observation.seen)) addresses_[ip.id] = *std::move(resolved);
  for (const auto& [resource, container] : observation.seen.containers) ids_[resource] = container.id;
  for (const auto& [resource, ns] : observation.namespaces) {
    auto& held = conversations_[resource];
    if (held && held->ns && netns::same(*held->ns, *ns)) continue;
    held = std::make_shared<Conversation>();
    held->ns = ns;
  }
}

Result<void> Actions::perform(const Step& step, const std::stop_token& stop) {
  return std::visit(Overloaded{
                        [&](const EngineStart&) { return start_engine(step, stop); },
                        [&](const EngineStop&) { return engine_.stop(); },
                        [&](const ImageEnsure&) { return ensure_image(step, stop); },
                        [&](const AddressProbe& probe) { return probe_address(step, probe, stop); },
                        [&](const AddressRequest& request) { return request_addresses(request, stop); },
                        [&](const ContainerRetire& retire) { return retire_container(step, retire, stop); },
                        [&](const ContainerCreate& create) { return create_container(step, create, stop); },
                        [&](const ContainerStart& start) { return start_container(step, start, stop); },
                        [&](const LinkRemoveStale& remove) { return remove_link(remove.link); },
                        [&](const LinkCreate& create) { return create_link(step, create); },
                        [&](const AddressAdd& add) { return add_address(step, add, stop); },
                        [&](const RouteSet& set) { return set_route(step, set); },
                        [&](const HostAccessGrant& grant) { return grant_host_access(step, grant, stop); },
                        [&](const HostAccessRevoke& revoke) { return revoke_host_access(revoke); },
                        [&](const VlanTake& take) { return take_vlan(step, take, stop); },
                        [&](const VlanRelease& release) { return release_vlan(step, release); },
                        [&](const OvsRelease&) { return release_switch_ports(service_.name, step.resource); },
                        [&](const AddressAnnounce& announcement) { return announce(step, announcement); },
                        [&](const ContainerStop& halt) { return stop_container(step, halt, stop); },
                        [&](const ContainerRemove& remove) { return remove_container(remove, stop); },
                        [&](const AddressRemove& remove) { return remove_address(remove); },
                        [&](const LinkRemove& remove) { return remove_link(remove.link); },
                        [&](const AddressYield&) { return yield_addresses(); },
                    },
                    step.operation);
}

std::set<IpAddress> Actions::probed_free() {
  auto out = claims_.free();
  const std::lock_guard lock(mutex_);
  out.insert(probed_.begin(), probed_.end());
  return out;
}

std::vector<Claimed> Actions::take_claimed() {
  const std::lock_guard lock(mutex_);
  return std::exchange(claimed_, {});
}

std::vector<std::string> Actions::take_warnings() {
  const std::lock_guard lock(mutex_);
  return std::exchange(warnings_, {});
}

void Actions::book(const Step& step, Undo undo) {
  if (undo_ != nullptr) undo_->push(describe(step), std::move(undo));
}

// The planner names resources of this very service, so these cannot miss.
const ContainerResource& Actions::container_of(const Step& step) const {
  const auto* found = service_.container(step.resource);
  return found != nullptr ? *found : (std::abort(), service_.containers.front());
}

const IpResource& Actions::ip_named(const std::string& id) const {
  for (const auto& ip : service_.ips)
    if (ip.id == id) return ip;
  std::abort();
}

std::string Actions::id_of(const Step& step, const ContainerStart& start) {
  if (start.id) return *start.id;
  const std::lock_guard lock(mutex_);
  const auto found = ids_.find(step.resource);
  return found == ids_.end() ? start.name : found->second;
}

Result<std::shared_ptr<Actions::Conversation>> Actions::conversation(const std::string& container) {
  std::shared_ptr<Conversation> out;
  {
    const std::lock_guard lock(mutex_);
    auto& entry = conversations_[container];
    if (!entry) {
      if (!container.empty())
        return Err{ErrorKind::not_found, "the network namespace of " + container + ": it does not run"};
      entry = std::make_shared<Conversation>();
    }
    out = entry;
  }
  const std::lock_guard lock(out->mutex);
  if (!out->ns) out->ns = std::make_shared<const netns::Namespace>(TRY(netns::Namespace::current()));
  if (!out->socket) out->socket = TRY(netns::RouteSocket::open(*out->ns));
  return out;
}

}  // namespace plumb
