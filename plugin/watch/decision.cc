#include "plugin/watch/decision.h"

#include <algorithm>

#include "specs/plan/namespace_owner.h"
#include "specs/plan/planner.h"
#include "specs/status/status.h"

namespace plumb::watch {

namespace {

// Steps that only clear up are no reason to begin.
bool matters(const Step& step) {
  return step
      .is<EngineStart, ContainerCreate, ContainerStart, LinkCreate, AddressAdd, RouteSet, HostAccessGrant, VlanTake>();
}

class DecisionMaker {
 public:
  DecisionMaker(const Service& service, const Observed& seen, Memory& memory, Time now)
      : service_(service), seen_(seen), memory_(memory), now_(now), status_(evaluate(service, seen)) {}

  Decision run() {
    out_.service = service_;
    out_.whole = status_.state == Availability::up;
    // What a heal has brought up stays up when the rest of it fails: the next one goes on from there.
    out_.service.rollback = false;
    if (seen_.engine.state == EngineState::unreachable) {
      out_.away = true;
      out_.obstacle = seen_.engine.error;
      // The return of the node's engine is heard of. One of the service's own may have been about to die.
      if (seen_.engine.is_private) look_again(now_ + backoff(memory_.failures++));
      return std::move(out_);
    }
    for (auto& c : out_.service.containers)
      if (!c.disable && state_of(c.id) == Availability::down)
        c.disable = !takes_up(c);
      else
        runs(c.id);
    const auto steps = plan(out_.service, seen_, Verb::start);
    if (!steps) {
      out_.obstacle = steps.error();
      // Devices and the service's containers are heard of when they change; a resolver, a kernel module or a stranger's
      // container that has the name are not.
      look_again(std::max(memory_.not_before, now_ + backoff(memory_.failures++)));
    } else if (steps->partial || std::any_of(steps->steps.begin(), steps->steps.end(), matters)) {
      give_reasons();
      out_.heal = now_ >= memory_.not_before;
      if (!out_.heal) look_again(memory_.not_before);
    } else {
      memory_.failures = 0;
      memory_.said.clear();  // should the same come again, it is news
    }
    return std::move(out_);
  }

 private:
  [[nodiscard]] const ResourceStatus* status_of(const std::string& id) const {
    const auto found = std::find_if(status_.resources.begin(), status_.resources.end(),
                                    [&](const ResourceStatus& r) { return r.id == id; });
    return found == status_.resources.end() ? nullptr : &*found;
  }
  [[nodiscard]] Availability state_of(const std::string& id) const {
    const auto* status = status_of(id);
    return status == nullptr ? Availability::unknown : status->state;
  }

  void look_again(Time when) { out_.due = out_.due ? std::min(*out_.due, when) : when; }

  // Others live in one of its namespaces, or an address does.
  [[nodiscard]] bool is_base(const ContainerResource& c) const {
    return owns_namespace(service_, c) ||
           std::any_of(service_.containers.begin(), service_.containers.end(), [&](const ContainerResource& other) {
             const auto joined = service_.joined_by(other);
             return std::find(joined.begin(), joined.end(), service_.container(c.id)) != joined.end();
           });
  }

  // It could not have gone on, whatever it did.
  [[nodiscard]] bool has_lost_its_ground(const ContainerResource& c) const {
    if (seen_.engine.state != EngineState::up) return true;
    const auto joined = service_.joined_by(c);
    return std::any_of(joined.begin(), joined.end(), [&](const ContainerResource* base) {
      return !base->disable && state_of(base->id) == Availability::down;
    });
  }

  // Whether a container that is down comes up now.
  bool takes_up(const ContainerResource& c) {
    if (is_base(c) || memory_.unfinished.contains(c.id)) return true;
    auto& its = memory_.restarts[c.id];
    if (has_lost_its_ground(c) && (!its.given_up || now_ - *its.given_up < kSameOutage)) {
      its = {};
      return true;
    }
    if (its.given_up) return false;
    if (its.due) {
      if (now_ >= *its.due) {
        out_.restarts.push_back(c.id);
        return true;
      }
      look_again(*its.due);
      return false;
    }
    if (its.last && now_ - *its.last >= kForgetRestarts) its.count = 0;
    ended(c, its);
    return false;
  }

  // It is noticed for the first time that it is down.
  void ended(const ContainerResource& c, Restarts& its) {
    const auto found = seen_.containers.find(c.id);
    const std::string how =
        c.id + ": " + c.name +
        (found == seen_.containers.end() ? std::string(" is gone")
                                         : " ended with exit code " + std::to_string(found->second.exit_code));
    if (its.count >= c.restart) {
      its.given_up = now_;
      out_.notes.push_back(how +
                           (c.restart == 0 ? std::string(" and is left down (restart = 0)")
                                           : " and is left down after " + std::to_string(c.restart) + " restarts") +
                           "; plumb start " + service_.name + " starts it");
      return;
    }
    const auto wait = backoff(static_cast<unsigned>(its.count));
    its.due = now_ + wait;
    look_again(*its.due);
    out_.notes.push_back(how + "; restart " + std::to_string(its.count + 1) + " of " + std::to_string(c.restart) +
                         " in " + std::to_string(wait.count()) + " s");
  }

  void runs(const std::string& id) {
    const auto found = memory_.restarts.find(id);
    if (found == memory_.restarts.end()) return;
    found->second.due.reset();
    found->second.given_up.reset();
    if (found->second.count == 0) memory_.restarts.erase(found);
  }

  void give_reasons() {
    for (const auto& r : status_.resources) {
      const auto* left = out_.service.container(r.id);
      if (r.state == Availability::up || r.state == Availability::disabled || (left != nullptr && left->disable))
        continue;
      if (r.problems.empty()) out_.reasons.push_back(r.id + " is " + std::string(to_string(r.state)));
      for (const auto& problem : r.problems) out_.reasons.push_back(r.id + ": " + problem);
    }
    if (seen_.engine.state == EngineState::crashed) out_.reasons.assign(1, "the service's engine is gone");
    if (seen_.engine.state == EngineState::down) out_.reasons.assign(1, "the service's engine does not run");
  }

  const Service& service_;
  const Observed& seen_;
  Memory& memory_;
  Time now_;
  ServiceStatus status_;
  Decision out_;
};

}  // namespace

std::chrono::seconds backoff(unsigned times) { return std::chrono::seconds{times >= 6 ? 60 : 1 << times}; }

Decision decide(const Service& service, const Observed& seen, Memory& memory, Time now) {
  return DecisionMaker(service, seen, memory, now).run();
}

void heal_begins(Memory& memory, const Decision& decision, Time now) {
  for (const auto& id : decision.restarts) {
    auto& its = memory.restarts[id];
    ++its.count;
    its.due.reset();
    its.last = now;
  }
  for (const auto& c : decision.service.containers)
    if (!c.disable && std::find(decision.restarts.begin(), decision.restarts.end(), c.id) == decision.restarts.end())
      memory.unfinished.insert(c.id);
  std::erase_if(memory.heals, [&](Time heal) { return heal + std::chrono::minutes{1} < now; });
  memory.heals.push_back(now);
}

void heal_ended(Memory& memory, bool well, const std::string& step, Time now) {
  if (well || step.empty()) memory.unfinished.clear();
  memory.not_before = {};
  if (well) {
    memory.failures = 0;
    memory.said.clear();
    if (memory.heals.size() >= kFreeHeals)
      memory.not_before = now + backoff(static_cast<unsigned>(memory.heals.size() - kFreeHeals));
    return;
  }
  memory.not_before = now + backoff(memory.failures);
  ++memory.failures;
}

void engine_lost(Memory& memory, Time now) {
  for (auto& [id, its] : memory.restarts) {
    if (its.given_up && now - *its.given_up >= kSameOutage) continue;
    its = {};
    memory.unfinished.insert(id);
  }
}

}  // namespace plumb::watch
