#include "plugin/verb/verb.h"

#include <algorithm>

#include "docker_client/events.h"
#include "netns/namespace/capability.h"
#include "plugin/engine/ownership.h"
#include "plugin/node/names.h"
#include "plugin/node/time_limit.h"
#include "plugin/verb/announce_later.h"
#include "plugin/verb/observer.h"
#include "plugin/verb/started.h"
#include "plugin/verb/traces.h"
#include "specs/plan/planner.h"

namespace plumb {

namespace {

// Creating a container takes an engine some tens of milliseconds; this is only spent after a verb was killed.
constexpr std::chrono::milliseconds kSettleTime{400};

class VerbRun {
 public:
  VerbRun(const Service& service, Verb verb, const ServiceLock& lock, const OnPull& on_pull, std::stop_token stop,
          const Watching* watching, std::optional<Clock::time_point> end)
      : service_(service),
        verb_(verb),
        lock_(lock),
        stop_(std::move(stop)),
        watching_(watching),
        engine_(service),
        actions_(service, engine_, brings_up(verb) ? &undo_ : nullptr, on_pull) {
    if (!brings_up(verb)) actions_.until(end);
  }

  Outcome run() {
    const auto begin = Clock::now();
    if (lock_.after_a_kill()) settle();
    auto done = apply();
    if (done && brings_up(verb_)) done = verify();
    // A start that was killed before its engine ran has left folders that no plan knows of.
    if (done && ends_engine() && lock_.after_a_kill()) done = engine_.stop();
    // Whatever else was found, or not found, because of it.
    if (auto loss = actions_.loss(); loss && brings_up(verb_)) done = Err{*std::move(loss)};
    if (done) keep_claims();
    if (!done)
      fail(std::move(done).error());
    else
      tidy();
    if (!out_.error && brings_up(verb_)) remember_names(names_);
    leave_traces();
    if (!out_.error && brings_up(verb_)) go_on_announcing();
    out_.elapsed = Clock::now() - begin;
    return std::move(out_);
  }

 private:
  // Nothing of the service needs its own engine after this verb.
  [[nodiscard]] bool ends_engine() const {
    return !brings_up(verb_) && !service_.docker_data_dir.empty() &&
           std::all_of(service_.containers.begin(), service_.containers.end(),
                       [&](const ContainerResource& c) { return c.disable || takes_part(verb_, c); });
  }

  // The verb before was killed. An engine carries a request out though its client is gone, and a container that is
  // being created shows in no list: wait until the engine has been silent about this service for a while.
  void settle() {
    if (engine_.observe(stop_).state != EngineState::up) return;
    auto client = engine_.client(stop_);
    if (!client) return;
    auto events = docker::EventStream::open(
        **client, {{"container"}, {std::string(kLabelService) + "=" + service_.name}, 0}, {kSettleTime, stop_});
    while (events && events->next({kSettleTime, stop_})) {
    }
  }

  // For who looks after the service from now on.
  void keep_claims() {
    if (auto kept = actions_.claims().keep(carriers_); !kept)
      out_.warnings.push_back("the watcher begins anew with its addresses: " + kept.error().what);
  }

  // What is on standby is no start's: a stop leaves it.
  [[nodiscard]] bool leaves_traces() const { return brings_up(verb_) && verb_ != Verb::boot; }

  void trace(const Observation& observation) {
    if (leaves_traces()) traces_ = traces_of(service_, observation);
  }

  void unsettle() {
    if (!leaves_traces() || out_.changed) return;
    resettles_ = !traces_unsettled(service_.name);
    if (const auto done = unsettle_traces(service_.name); !done) warn_of_traces(done.error());
  }

  // A start that failed and could not take all back stays unsettled, and so does one after that.
  void leave_traces() {
    if (!leaves_traces()) return;
    if (out_.error) {
      if (out_.rolled_back && resettles_) resettle_traces(service_.name);
      return;
    }
    const auto left = traces_ ? record_traces(service_.name, *traces_) : Result<void>(Err{traces_.error()});
    if (!left) warn_of_traces(left.error());
  }

  void warn_of_traces(const Error& error) {
    out_.warnings.push_back("without its engine no stop can prove that it has ended: " + error.what);
  }

  void go_on_announcing() {
    if (watching_ == nullptr) announce_later(actions_.take_claimed(), actions_.claims(), lock_);
  }

  template <typename F>
  auto timed(const char* what, F&& function) {
    const auto begin = Clock::now();
    const auto engine = EngineTime::of_this_thread();
    auto result = function();
    out_.critical_path.push_back({what, Clock::now() - begin, EngineTime::of_this_thread() - engine});
    return result;
  }

  // Observes, plans and executes until the plan is whole: an engine that has to be started first cannot be asked
  // before.
  Result<void> apply() {
    for (;;) {
      auto observation = TRY(timed("observe", [&] { return observe(service_, engine_, stop_, brings_up(verb_)); }));
      for (const auto& ip : service_.ips) carriers_.try_emplace(ip.id, carriers_of(ip, observation.seen));
      observation.seen.probed_free = actions_.probed_free();
      if (watching_ != nullptr) observation.seen.withheld = watching_->withheld;
      observation.seen.after_a_kill = lock_.after_a_kill() && !out_.changed;
      actions_.adopt(observation);
      names_ = answered_names(observation.seen);
      const Plan plan = TRY(timed("plan", [&] { return plumb::plan(service_, observation.seen, verb_); }));
      out_.warnings.insert(out_.warnings.end(), plan.warnings.begin(), plan.warnings.end());
      if (plan.empty()) {
        if (!out_.changed) out_.after = evaluate(service_, observation.seen);
        if (!out_.changed) trace(observation);
        return {};
      }
      unsettle();
      out_.changed = true;
      TRY(carry_out(without_tidying(plan)));
      if (!plan.partial) return {};
    }
  }

  // What only tidies up cannot be undone: it is kept until the service is known to be up. Such steps are a plan's last
  // ones, and none waits for them.
  Plan without_tidying(Plan plan) {
    while (brings_up(verb_) && !plan.steps.empty() && plan.steps.back().tolerate) {
      Step step = std::move(plan.steps.back());
      plan.steps.pop_back();
      step.after.clear();
      tidying_.steps.push_back(std::move(step));
    }
    return plan;
  }

  // A failure is a warning, and the next start tries again.
  void tidy() {
    if (!tidying_.steps.empty()) [[maybe_unused]]
      const auto done = carry_out(tidying_);
  }

  Result<void> carry_out(const Plan& plan) {
    std::stop_source either;
    const std::stop_callback stopped(stop_, [&] { either.request_stop(); });
    const std::stop_callback lost(actions_.claims().lost(), [&] { either.request_stop(); });
    auto execution = execute(
        plan, [this](const Step& step, const std::stop_token& stop) { return actions_.perform(step, stop); },
        either.get_token());
    for (std::size_t i = 0; i < plan.steps.size(); ++i)
      if (execution.records[i].ran) out_.steps.push_back(describe(plan.steps[i]));
    for (const auto i : critical_path(plan, execution)) {
      const auto& record = execution.records[i];
      const auto& step = plan.steps[i];
      out_.critical_path.push_back({(step.resource.empty() ? "" : step.resource + ": ") + describe(step),
                                    record.end - record.begin, record.engine});
    }
    out_.warnings.insert(out_.warnings.end(), execution.warnings.begin(), execution.warnings.end());
    for (auto& warning : actions_.take_warnings()) out_.warnings.push_back(std::move(warning));
    if (!execution.failure) return {};
    if (auto loss = actions_.loss(); loss && execution.failure->error.kind == ErrorKind::cancelled)
      return Err{*std::move(loss)};
    out_.failed_step = describe(plan.steps[execution.failure->step]);
    return Err{std::move(execution.failure->error)};
  }

  // A start is not done before the kernel and the engine both say that the service is up.
  Result<void> verify() {
    if (!out_.changed) return {};
    auto observation = TRY(timed("look again", [&] { return observe(service_, engine_, stop_); }));
    std::erase_if(observation.seen.leftovers, [&](const ObservedContainer& left) {
      return std::any_of(tidying_.steps.begin(), tidying_.steps.end(), [&](const Step& step) {
        const auto* remove = std::get_if<ContainerRemove>(&step.operation);
        return remove != nullptr && remove->container.id == left.id;
      });
    });
    trace(observation);
    out_.after = evaluate(service_, observation.seen);
    for (const auto& r : out_.after.resources) {
      if (r.state == Availability::up || r.state == Availability::disabled || r.optional) continue;
      if (verb_ == Verb::boot && !r.standby) continue;
      if (watching_ != nullptr && !watching_->withheld.empty() && r.kind == "ip") continue;
      if (verb_ == Verb::prepare && r.kind != "container") continue;
      std::string what = r.id + ": " + r.label + ": ";
      const auto seen = observation.seen.containers.find(r.id);
      // An engine that removes a container of its own accord shows it for a while, as "removing", then as "dead".
      const bool gone =
          seen == observation.seen.containers.end() || seen->second.state == "removing" || seen->second.state == "dead";
      if (r.kind == "container" && gone) {
        what += "it ended right after its start and was removed (rm = true)";
      } else if (!r.problems.empty()) {
        what += r.problems.front();
      } else if (r.kind == "container") {
        what += "it ended right after its start with exit code " + std::to_string(seen->second.exit_code);
      } else {
        what += "it is " + std::string(to_string(r.state)) + " right after its start";
      }
      return Err{
          ErrorKind::failed, what,
          r.kind == "container"
              ? "to read what it said, set rollback = false in [DEFAULT], start again and look at its docker logs"
              : ""};
    }
    return {};
  }

  void fail(Error error) {
    out_.error = std::move(error);
    if (!brings_up(verb_) || !out_.changed) return;
    if (!service_.rollback) return;
    out_.undo_failures = undo_.unwind();
    out_.rolled_back = out_.undo_failures.empty();
    if (out_.rolled_back) actions_.claims().withdraw();
  }

  const Service& service_;
  Verb verb_;
  const ServiceLock& lock_;
  std::stop_token stop_;
  const Watching* watching_;  // nullptr: nobody goes on with the claims
  ServiceEngine engine_;
  UndoLog undo_;
  Actions actions_;
  Plan tidying_;
  NameAddresses names_;
  std::map<std::string, std::vector<CarrierSeen>> carriers_;  // by ip: before all
  Result<Traces> traces_{Traces{}};
  bool resettles_ = false;
  Outcome out_;
};

}  // namespace

Outcome run_verb(const Service& service, Verb verb, const ServiceLock& lock, const OnPull& on_pull,
                 const std::stop_token& stop, const Watching* watching) {
  const auto own = brings_up(verb) ? service.start_timeout : service.stop_timeout;
  const auto limit = own ? own : service.timeout;
  // Who brings it up gives up for who is to take it down.
  std::optional<Interruption> interruption;
  if (brings_up(verb)) interruption.emplace(lock, stop);
  const auto end = limit ? std::optional(Clock::now() + *limit) : std::nullopt;
  const TimeLimit time(limit, interruption ? interruption->stop() : stop);
  auto out = VerbRun(service, verb, lock, on_pull, time.stop(), watching, end).run();
  if (out.error && out.error->kind == ErrorKind::cancelled && interruption && !interruption->by().empty())
    out.error = Error{ErrorKind::cancelled, 0, "given up for plumb " + interruption->by(), {}};
  if (out.error && out.error->kind == ErrorKind::cancelled && time.passed()) {
    const std::string word = brings_up(verb) ? "start_timeout" : "stop_timeout";
    out.error =
        Error{ErrorKind::timeout, 0, "not done within " + std::to_string(limit->count()) + " ms",
              "raise " + (own ? word : std::string("timeout")) + " in [DEFAULT], or see what the step waits for"};
  }
  return out;
}

Result<Plan> preview(const Service& service, Verb verb, const std::stop_token& stop) {
  ServiceEngine engine(service);
  const auto observation = TRY(observe(service, engine, stop));
  return plan(service, observation.seen, verb);
}

bool leaves_unknown(const Error& why) {
  return why.kind == ErrorKind::timeout || why.kind == ErrorKind::permission || why.kind == ErrorKind::unsupported;
}

bool needs_no_stop(const Service& service, Verb verb, const Error& why, const std::stop_token& stop) {
  if (leaves_unknown(why) || is_known_here(service.name) || read_traces(service.name) || traces_unsettled(service.name))
    return false;
  const auto plan = preview(service, verb, stop);
  return plan && plan->empty();
}

Result<void> check_privilege() {
  const auto missing = TRY(netns::missing_capabilities());
  if (missing.empty()) return {};
  std::string names;
  for (const auto& name : missing) names += (names.empty() ? "" : ", ") + name;
  return Err{ErrorKind::permission, "plumb needs " + names, "run it as root (sudo), or with these capabilities"};
}

}  // namespace plumb
