#include "specs/plan/fate.h"

#include <algorithm>

#include "specs/plan/init_container.h"
#include "specs/plan/planned_address.h"
#include "specs/plan/spec_hash.h"

namespace plumb {

const ObservedContainer* Fates::observed(const ContainerResource& c) const {
  const auto found = seen_.containers.find(c.id);
  return found == seen_.containers.end() ? nullptr : &found->second;
}

Result<void> Fates::decide(const ContainerResource& c) {
  const auto* have = observed(c);
  if (have == nullptr) {
    if (c.existing)
      return Err{ErrorKind::not_found,
                 c.id + ": container " + c.name + ": there is none, and without image it cannot be created",
                 "create it, or add image = ... to [" + c.id + "]"};
    fates_[c.id] = Fate::create;
    return {};
  }
  if (c.existing) {
    fates_[c.id] = have->running ? Fate::keep : Fate::start;
    return {};
  }
  if (have->service != service_.name)
    return Err{
        ErrorKind::exists,
        c.id + ": container " + c.name + ": the name is taken by a container that is not this service's (" +
            have->id.substr(0, 12) + ", image " + have->image + ")",
        "remove or rename that container (docker rename " + c.name + " ...), or set another name in [" + c.id + "]"};
  if (have->state == "paused")
    return Err{ErrorKind::refused, c.id + ": container " + c.name + ": it is paused", "docker unpause " + c.name};
  fates_[c.id] = c.detach ? fate_of(c, *have) : fate_of_init(c, *have);
  return {};
}

Fate Fates::fate_of(const ContainerResource& c, const ObservedContainer& have) {
  const bool ours = have.resource == c.id;
  const bool same = ours && have.name == c.name && have.spec_hash == spec_hash(c);
  const bool joined = bindings_fit(c, have);
  if (have.running && (joined || (!same && still_joined(have)))) {
    if (!same) changed_.insert(c.id);
    return Fate::keep;
  }
  // An engine that removes it at its end is about to do that, and would refuse the start, or undo it; unless another
  // container keeps it.
  const bool goes = have.auto_remove && !seen_.engine.keeps_joined;
  const bool can_start = have.state == "created" || (have.state == "exited" && !goes);
  return !have.running && joined && can_start && same && hosts_fit(c, have) ? Fate::start : Fate::replace;
}

// The hosts entries of a container are those of its creation: its own name would lead to an address that it has no
// more.
bool Fates::hosts_fit(const ContainerResource& c, const ObservedContainer& have) const {
  std::set<std::string> wanted;
  for (const auto& ip : service_.ips) {
    if (ip.netns != c.id) continue;
    const auto addresses = resolved_addresses(ip, seen_);
    if (!addresses) return true;  // the start fails by that
    for (const auto& address : *addresses) wanted.insert(address.to_string());
  }
  const auto name_of = [](const std::string& entry) { return entry.substr(0, entry.find(':')); };
  std::set<std::string> given;
  for (const auto& entry : c.options.add_host) given.insert(name_of(entry));
  return std::all_of(have.extra_hosts.begin(), have.extra_hosts.end(), [&](const std::string& entry) {
    return given.contains(name_of(entry)) || wanted.contains(entry.substr(entry.find(':') + 1));
  });
}

// Whether it runs well as it was made, though the configuration would have it in another namespace by now: what it
// joined is there, and runs.
bool Fates::still_joined(const ObservedContainer& have) const {
  constexpr std::string_view kJoins = "container:";
  if (!have.network_mode.starts_with(kJoins)) return true;
  const auto joins = [&](const ObservedContainer& other) {
    return other.running && have.network_mode.substr(kJoins.size()) == other.id &&
           (!other.netns || (have.netns && have.netns->same_as(*other.netns)));  // that of a leftover is not looked at
  };
  return std::any_of(seen_.containers.begin(), seen_.containers.end(),
                     [&](const auto& e) { return joins(e.second); }) ||
         std::any_of(seen_.leftovers.begin(), seen_.leftovers.end(), joins);
}

// Of a container that the start waits for: one that has done its work is kept, one that a killed start left running is
// waited for, and any other runs from its beginning, without what an earlier run left in it.
Fate Fates::fate_of_init(const ContainerResource& c, const ObservedContainer& have) {
  const bool same = have.spec_hash == spec_hash(c);
  const bool joined = have.resource == c.id && bindings_fit(c, have);
  if (joined && ended_well(service_, seen_, c)) {
    if (!same) changed_.insert(c.id);
    return Fate::keep;
  }
  return joined && same && (have.running || have.state == "created") ? Fate::start : Fate::replace;
}

// A container is bound, when it is created, to the ids of those whose namespaces it joins.
bool Fates::bindings_fit(const ContainerResource& c, const ObservedContainer& have) const {
  const auto owners = service_.joined_by(c);
  return std::all_of(owners.begin(), owners.end(),
                     [&](const ContainerResource* owner) {
                       const auto fate = fates_.find(owner->id);
                       return fate != fates_.end() && (fate->second == Fate::keep || fate->second == Fate::start);
                     }) &&
         network_fits(c, have);
}

// A running one is also bound to the network namespace as it was.
bool Fates::network_fits(const ContainerResource& c, const ObservedContainer& have) const {
  const auto* owner = service_.container(c.netns);
  if (owner == nullptr) return true;
  const auto* owner_seen = observed(*owner);
  const auto fate = fates_.find(owner->id);
  if (owner_seen == nullptr || fate == fates_.end()) return false;
  if (have.network_mode != "container:" + owner_seen->id) return false;
  if (!have.running) return true;
  return fate->second == Fate::keep && have.netns && owner_seen->netns && have.netns->same_as(*owner_seen->netns);
}

}  // namespace plumb
