#include "plugin/watch/healer.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <sstream>

#include "docker_client/endpoint.h"
#include "plugin/engine/service_engine.h"
#include "plugin/node/service_lock.h"
#include "plugin/node/service_state.h"
#include "plugin/output/output.h"
#include "plugin/verb/observer.h"
#include "plugin/watch/log.h"
#include "specs/plan/host_access.h"
#include "specs/plan/planned_address.h"
#include "specs/service/uplink.h"

namespace plumb::watch {

namespace {

// A round is a look, and a heal if need be. Whatever changes later is heard.
constexpr int kMostRounds = 6;

class Healer {
 public:
  Healer(Task task, const HealContext& context) : task_(std::move(task)), context_(context) {
    out_.service = task_.service;
    out_.lane = task_.lane;
    out_.memory = std::move(task_.memory);
  }

  Finding run() {
    for (int round = 0; round < kMostRounds; ++round)
      if (context_.stop.stop_requested() || !begin() || !look()) return std::move(out_);
    // What came of the last round has not been looked at, and nobody listens to it yet.
    out_.due = Clock::now() + backoff(0);
    return std::move(out_);
  }

 private:
  // What is started now; false: nothing that could be looked at.
  bool begin() {
    if (auto known = check_state(task_.service); !known) return leave_alone(known.error());
    auto started = read_started(task_.service);
    out_.started = started.has_value();
    if (!started) return false;
    if (started_ && *started_ == *started) return true;
    started_ = std::move(started);
    engine_.reset();
    auto loaded = load_spec(started_->file, started_->place);
    service_ = std::move(loaded.service);
    if (!service_) {
      fault({ErrorKind::spec, 0, "its configuration, as it was when it was started, does not load: not watched",
             "plumb validate " + task_.service + ", then plumb start " + task_.service});
      return false;
    }
    engine_.emplace(*service_);
    for (const auto& ip : service_->ips) {
      if (ip.host_access) out_.node_routes = true;
      if (ip.type == IpType::encap) continue;
      out_.uplinks.insert(uplink(ip));
      if (const auto vlan = vlan_device(ip)) out_.uplinks.insert(vlan->lower);
    }
    return find_engine() && is_in_its_lane();
  }

  // Who waits for one thing holds up nobody who waits for another: an engine, or a resolver.
  bool is_in_its_lane() {
    const bool asks_names = std::any_of(service_->ips.begin(), service_->ips.end(), [](const IpResource& ip) {
      return std::any_of(ip.names.begin(), ip.names.end(), [](const IpName& name) { return name.host() != nullptr; });
    });
    out_.lane = !out_.engine_socket.empty() ? out_.engine_socket : asks_names ? "names" : "";
    return out_.lane == task_.lane;
  }

  // Another engine than that of the start has nothing of it, and would be made to start it a second time.
  bool find_engine() {
    if (!needs_engine(*service_)) return true;
    if (engine_->is_private()) {
      const std::string folder = "/run/plumb/" + service_->name;
      out_.engine_socket = PrivateEngine::of(*service_).socket();
      out_.engine_pid_file = folder + "/engine.pid";
      return true;
    }
    const auto socket = docker::engine_socket(docker::Environment::of_process());
    if (socket && (started_->engine.empty() || *socket == started_->engine)) {
      out_.engine_socket = *socket;
      return true;
    }
    fault({ErrorKind::refused, 0,
           "it was started on the engine at " + started_->engine + ", and the watcher's is at " +
               (socket ? *socket : "?") + ": not watched",
           "start plumb watch with the DOCKER_HOST of that engine"});
    return false;
  }

  // What a later plumb has started: nothing of it is watched or held any more.
  bool leave_alone(const Error& error) {
    Finding nothing;
    nothing.service = task_.service;
    nothing.lane = task_.lane;
    nothing.memory = std::move(out_.memory);
    nothing.started = true;
    nothing.looked = true;
    out_ = std::move(nothing);
    fault(error);
    return false;
  }

  void fault(const Error& error) {
    out_.ailing = true;
    if (out_.memory.said != error.what) say(task_.service, "", error);
    out_.memory.said = error.what;
  }

  // False: not now.
  bool try_later(const Error& error) {
    fault(error);
    out_.due = Clock::now() + backoff(out_.memory.failures++);
    return false;
  }

  // True: look again.
  bool look() {
    const auto begin = Clock::now();
    const auto engine = EngineTime::of_this_thread();
    context_.metrics.count(Event::look);
    // What is taken off, or put back, while the rest is observed, is none of a heal's.
    const auto off_before = context_.claims.withheld->of(task_.service);
    const Time since = std::exchange(looked_before_, true) ? begin : task_.since;
    auto observation = observe(*service_, *engine_, context_.stop, false,
                               [&](bool all_routes) { return context_.node.get(all_routes, since); });
    const auto off_now = context_.claims.withheld->of(task_.service);
    look_ = {"look", Clock::now() - begin, EngineTime::of_this_thread() - engine};
    if (!observation) return try_later(observation.error());
    observation->seen.withheld = off_before;
    observation->seen.withheld.insert(off_now.begin(), off_now.end());
    out_.adopted.clear();
    std::set_intersection(off_before.begin(), off_before.end(), off_now.begin(), off_now.end(),
                          std::inserter(out_.adopted, out_.adopted.end()));
    find_its_own(observation->seen);
    const auto decision = decide(*service_, observation->seen, out_.memory, Clock::now());
    for (const auto& note : decision.notes) say(task_.service, note);
    out_.due = decision.due;
    out_.away = decision.away;
    out_.ailing = !decision.whole;
    if (decision.obstacle) fault(*decision.obstacle);
    if (!decision.heal) return !decision.away && listen(*observation);
    const auto withheld = observation->seen.withheld;
    // Namespaces that are gone by then, perhaps: a verb may wait for that.
    for (const auto& watch : out_.watches) task_.present.erase(watch.key);
    out_.watches.clear();
    static_cast<void>(Observation(*std::move(observation)));
    return heal(decision, withheld);
  }

  // Of what happens on the node, this concerns it.
  void find_its_own(const Observed& seen) {
    out_.ports.clear();
    out_.addresses.clear();
    for (const auto& link : seen.node.links)
      if ((link.kind == "veth" && link.alias.starts_with("plumb " + task_.service + " ")) ||
          (out_.node_routes && is_host_link(link)))
        out_.ports.insert(link.name);
    for (const auto& ip : service_->ips) {
      if (ip.disable || ip.type == IpType::encap) continue;
      for (const auto& address : resolved_addresses(ip, seen).value_or(std::vector<IpAddress>())) {
        out_.addresses.insert(address);
        if (const auto* giver = netmask_giver(ip, address, seen)) out_.addresses.insert(giver->cidr.address());
      }
    }
  }

  // Whoever listens from now on has not heard what was before.
  bool listen(const Observation& observation) {
    bool fresh = false;
    out_.looked = true;
    out_.wanted.clear();
    const auto plans = namespace_watches_for(*service_, observation, observation.seen.withheld);
    for (const auto& plan : plans) {
      out_.wanted.insert(plan.key);
      for (const auto& claim : plan.claims)
        if (!claim.on_link) out_.adopted.erase(claim.cidr.address());
      if (!task_.present.insert(plan.key).second) continue;
      fresh = true;
      auto watch = open_namespace_watch(plan, observation, context_.claims);
      if (watch)
        out_.watches.push_back(std::move(*watch));
      else
        task_.present.erase(plan.key);
    }
    return fresh;
  }

  // Under the lock, and only if nothing has happened since the look.
  bool heal(const Decision& decision, const std::set<IpAddress>& withheld) {
    auto held = ServiceLock::try_hold(task_.service, "watch");
    if (!held) return try_later(held.error());
    auto& lock = *held;
    if (!lock) return wait_for_verb();
    if (read_started(task_.service) != started_) return true;
    if (auto begun = lock->begin(); !begun) return try_later(begun.error());
    std::string why;
    for (const auto& reason : decision.reasons) why += (why.empty() ? "" : ", ") + reason;
    say(task_.service, (why.empty() ? std::string("it is not whole") : why) + ": healing");
    heal_begins(out_.memory, decision, Clock::now());
    context_.metrics.count(Event::container_restart, decision.restarts.size());
    const Watching watching{withheld};
    auto outcome = run_verb(decision.service, Verb::start, *lock, {}, context_.stop, &watching);
    lock->finish();
    // An engine that is clearing up after a container lets nobody look at it.
    outcome.critical_path.insert(outcome.critical_path.begin(), look_);
    outcome.elapsed += look_.total;
    tell(outcome, decision);
    return !context_.stop.stop_requested();
  }

  // What it leaves is looked at in the service's next turn.
  bool wait_for_verb() {
    context_.waits();
    if (auto over = ServiceLock::wait_until_free(task_.service, context_.stop);
        !over && over.error().kind != ErrorKind::cancelled)
      return try_later(over.error());
    out_.due = Clock::now();
    return false;
  }

  // On the critical path.
  static milliseconds::rep in_engine(const Outcome& outcome) {
    Clock::duration sum{0};
    for (const auto& part : outcome.critical_path) sum += part.engine;
    return std::chrono::duration_cast<milliseconds>(sum).count();
  }

  void tell_timing(const Outcome& outcome) const {
    std::istringstream text(timing_text(outcome));
    for (std::string line; std::getline(text, line);) say(task_.service, line);
  }

  // What was left down on purpose: its restarts are used up.
  [[nodiscard]] std::string left_down(const Decision& decision) const {
    std::string out;
    for (const auto& c : decision.service.containers)
      if (c.disable && !service_->container(c.id)->disable) out += (out.empty() ? "" : ", ") + c.id;
    return out;
  }

  void tell(const Outcome& outcome, const Decision& decision) {
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(outcome.elapsed).count();
    for (const auto& step : outcome.steps) say(task_.service, step);
    for (const auto& warning : outcome.warnings) say(task_.service, "warning: " + warning);
    if (context_.timing) tell_timing(outcome);
    context_.metrics.count(outcome.error ? Event::heal_failed : Event::healed);
    heal_ended(out_.memory, !outcome.error, outcome.failed_step, Clock::now());
    if (context_.stop.stop_requested())
      return say(task_.service, "interrupted: the next plumb watch, or start, goes on");
    if (!outcome.error) {
      const auto down = left_down(decision);
      return say(task_.service, (down.empty() ? "up again after " : "healed, but for " + down + ", after ") +
                                    std::to_string(took) + " ms, of which the engine took " +
                                    std::to_string(in_engine(outcome)) + " ms");
    }
    const auto wait = std::chrono::ceil<std::chrono::seconds>(out_.memory.not_before - Clock::now()).count();
    say(task_.service,
        "not healed" + (outcome.failed_step.empty() ? std::string() : ": " + outcome.failed_step) + "; again in " +
            std::to_string(wait) + " s: ",
        *outcome.error);
  }

  Task task_;
  const HealContext& context_;
  Finding out_;
  TimedPart look_;  // the last one
  bool looked_before_ = false;
  std::optional<Started> started_;
  std::optional<Service> service_;
  std::optional<ServiceEngine> engine_;
};

}  // namespace

Finding look_after(Task task, const HealContext& context) { return Healer(std::move(task), context).run(); }

}  // namespace plumb::watch
