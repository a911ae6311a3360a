#include "plugin/verb/engine_observer.h"

#include <algorithm>
#include <mutex>
#include <thread>

#include "docker_client/container.h"
#include "plugin/engine/container_namespace.h"
#include "plugin/engine/ownership.h"
#include "plugin/engine/pause_image.h"
#include "plugin/verb/netns_reader.h"
#include "specs/plan/namespace_owner.h"
#include "specs/plan/spec_hash.h"

namespace plumb {

namespace {

constexpr std::chrono::seconds kQueryDeadline{30};

ObservedContainer observed(const docker::Container& c) {
  ObservedContainer out;
  out.id = c.id;
  out.name = c.name;
  out.image = c.image;
  out.state = c.state;
  out.running = c.running;
  out.exit_code = c.exit_code;
  out.started_at = c.started_at;
  out.pid = static_cast<int>(c.pid);
  const auto label = [&](const char* key) {
    const auto found = c.labels.find(key);
    return found == c.labels.end() ? std::string{} : found->second;
  };
  out.service = label(kLabelService);
  out.resource = label(kLabelResource);
  out.spec_hash = label(kLabelSpecHash);
  out.network_mode = c.network_mode;
  out.auto_remove = c.auto_remove;
  out.extra_hosts = c.extra_hosts;
  for (const auto& v : c.anonymous_volumes) out.volumes.push_back({v.name, v.target, v.read_only});
  return out;
}

// All that is asked of the engine, in parallel: one list by label, one inspect for each container by its name.
class EngineObserver {
 public:
  EngineObserver(const Service& service, docker::Client& client, const std::stop_token& stop)
      : service_(service), client_(client), call_{kQueryDeadline, stop} {}

  Result<void> run(Observation& out) {
    std::vector<std::jthread> threads;
    for (const auto& c : service_.containers) threads.emplace_back([this, &c, &out] { look_at(c, out); });
    auto listed = docker::list_containers(client_, {std::string(kLabelService) + "=" + service_.name}, call_);
    threads.clear();  // joins
    hangs_ = !listed && listed.error().kind == ErrorKind::timeout;
    if (hangs_) return Err{listed.error()};
    if (failure_) return Err{*failure_};
    for (const auto& c : TRY(std::move(listed))) {
      const bool known = std::any_of(out.seen.containers.begin(), out.seen.containers.end(),
                                     [&](const auto& entry) { return entry.second.id == c.id; });
      if (!known) TRY(look_at_unnamed(c, out));
    }
    return read_stranded(out);
  }

  // The engine has not even listed its containers in time, which no one container of them can keep it from.
  [[nodiscard]] bool hangs() const { return hangs_; }

 private:
  void look_at(const ContainerResource& resource, Observation& out) {
    auto result = read_named(resource, out);
    const std::lock_guard lock(mutex_);
    if (!result && !failure_) failure_ = std::move(result).error();
  }

  Result<void> read_named(const ContainerResource& resource, Observation& out) {
    const auto container = TRY(docker::inspect_container(client_, resource.name, call_));
    if (!container) return {};
    auto seen = observed(*container);
    if (!seen.service.empty() && !TRY(is_ours(resource, *container))) {
      seen.service.clear();
      seen.resource.clear();
      seen.spec_hash.clear();
    }
    return read(resource, std::move(seen), out);
  }

  // Under no resource's name: it is the resource's that it was made for, if that has none under its own; newest first.
  Result<void> look_at_unnamed(const docker::Container& listed, Observation& out) {
    if (!TRY(has_own_labels(client_, listed, call_))) return {};
    // Docker 20.10 may go on to list one that it has removed, when it was killed meanwhile.
    const auto container = TRY(docker::inspect_container(client_, listed.id, call_));
    if (!container) return {};
    auto seen = observed(*container);
    const auto* resource = service_.container(seen.resource);
    if (resource != nullptr && !resource->existing && !out.seen.containers.contains(resource->id))
      return read(*resource, std::move(seen), out);
    out.seen.leftovers.push_back(std::move(seen));
    return {};
  }

  // Whether it was made by plumb. The engine is asked only where it is not just what the configuration says.
  Result<bool> is_ours(const ContainerResource& resource, const docker::Container& container) {
    const auto hash = container.labels.find(kLabelSpecHash);
    const std::string image = resource.builtin_pause ? kPauseImageReference : resource.image;
    if (hash != container.labels.end() && hash->second == spec_hash(resource) && container.image == image) return true;
    return has_own_labels(client_, container, call_);
  }

  // A sibling whose namespace's owner is gone lives on in the namespace of an earlier start, and so may its address.
  Result<void> read_stranded(Observation& out) {
    for (const auto& resource : service_.containers) {
      const auto found = out.seen.containers.find(resource.id);
      if (service_.container(resource.netns) == nullptr || found == out.seen.containers.end() || !found->second.netns)
        continue;
      const auto owner = out.seen.containers.find(resource.netns);
      const bool stranded = owner == out.seen.containers.end() || !owner->second.netns ||
                            !owner->second.netns->same_as(*found->second.netns);
      if (stranded) found->second.netns = TRY(read_netns(*out.namespaces.at(resource.id), Routes::yes));
    }
    return {};
  }

  // Its namespace, as far as that is to be looked at.
  Result<void> read(const ContainerResource& resource, ObservedContainer seen, Observation& out) {
    std::shared_ptr<const netns::Namespace> held;
    // A container in the node's own namespace has none that could be held.
    if (seen.running && seen.network_mode != "host" && (resource.existing || seen.service == service_.name)) {
      auto ns = container_namespace(client_, seen.id, seen.pid, call_.stop);
      if (ns) {
        seen.netns = ObservedNetns{ns->id().dev, ns->id().ino, {}, {}, {}};
        if (owns_namespace(service_, resource) || resource.existing) seen.netns = TRY(read_netns(*ns, Routes::yes));
        held = std::make_shared<const netns::Namespace>(std::move(*ns));
      } else if (ns.error().kind == ErrorKind::not_found) {
        // It ended while we looked. How, an engine that has not noticed yet cannot say: who is to end is waited for
        // then.
        const auto again = TRY(docker::inspect_container(client_, seen.id, call_));
        const bool unnoticed = again && again->running && !resource.detach;
        if (!unnoticed) {
          seen.running = false;
          seen.state = "exited";
          if (again) seen.exit_code = again->exit_code;
        }
      } else {
        return Err{std::move(ns).error()};
      }
    }
    const std::lock_guard lock(mutex_);
    if (held) out.namespaces[resource.id] = std::move(held);
    out.seen.containers[resource.id] = std::move(seen);
    return {};
  }

  const Service& service_;
  docker::Client& client_;
  docker::Call call_;
  std::mutex mutex_;
  std::optional<Error> failure_;
  bool hangs_ = false;
};

}  // namespace

Result<void> ask_engine(const Service& service, ServiceEngine& engine, const std::stop_token& stop, Observation& out) {
  auto* client = TRY(engine.client(stop));
  EngineObserver observer(service, *client, stop);
  auto asked = observer.run(out);
  if (asked || !observer.hangs()) return asked;
  engine.take_as_hung(asked.error());
  out.seen.engine.state = EngineState::unreachable;
  out.seen.engine.error = std::move(asked).error();
  out.seen.containers.clear();
  out.seen.leftovers.clear();
  out.namespaces.clear();
  return {};
}

}  // namespace plumb
