#include "plugin/command/change.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>

#include "plugin/command/engine_lanes.h"
#include "plugin/command/service_list.h"
#include "plugin/engine/pull_progress.h"
#include "plugin/engine/service_engine.h"
#include "plugin/node/service_state.h"
#include "plugin/node/signals.h"
#include "plugin/node/time_limit.h"
#include "plugin/output/console.h"
#include "plugin/output/exit_code.h"
#include "plugin/output/output.h"
#include "plugin/verb/started.h"
#include "plugin/verb/verb.h"

namespace plumb {

namespace {

int tell(const CommandLine& command, const std::string& operation, const Service& service, Verb verb,
         const Outcome& outcome) {
  static std::mutex one_at_a_time;  // of several services, each has its lines together
  const std::lock_guard lock(one_at_a_time);
  for (const auto& warning : outcome.warnings) complain("plumb: warning: " + warning + "\n");
  if (outcome.error) {
    complain(error_text(operation, *outcome.error, outcome.failed_step, colour_on(2)));
    for (const auto& failure : outcome.undo_failures) complain("plumb: " + failure + "\n");
    if (!outcome.undo_failures.empty())
      complain("  next: plumb stop " + service.name + "\n");
    else if (outcome.rolled_back)
      complain("  all that this run had done is undone\n");
    else if (brings_up(verb) && outcome.changed)
      complain("  nothing is undone (rollback = false); plumb stop " + service.name + " cleans up\n");
  }
  if (command.json) print(outcome_json(service, verb, outcome));
  if (!command.json && !command.quiet && !outcome.error) print(outcome_text(service, verb, outcome));
  if (command.timing) (command.json ? complain : print)(timing_text(outcome));
  std::fflush(stdout);  // others may go on for long
  return outcome.error ? code(exit_code(outcome.error->kind)) : code(ExitCode::ok);
}

// For the watcher. A start that nobody watches over is a start all the same.
void remember(const CommandLine& command, const Opened& opened) {
  if (auto done = record_started(*opened.service, opened.file, command.place); !done)
    complain("plumb: warning: plumb watch will not know of it: " + done.error().what + "\n");
}

// One verb, or more than one in a row, under the service's lock. Without `together` nobody else runs in this process.
class Change {
 public:
  // What several changes in one process share.
  struct Together {
    PullProgress& progress;
    std::optional<Clock::time_point> end;
    const TimeLimit& time;
  };

  Change(const CommandLine& command, const std::vector<Verb>& verbs, const Together* together = nullptr)
      : command_(command),
        verbs_(verbs),
        together_(together),
        name_(service_name(command.service)),
        word_(verbs.size() == 2 ? std::string("restart") : std::string(to_string(verbs.front()))),
        operation_(word_ + " " + command.service),
        own_progress_(command.quiet) {}

  // Why the verb has failed, if it did.
  [[nodiscard]] const std::optional<Error>& error() const { return error_; }
  // The time of all was over first.
  [[nodiscard]] bool out_of_time() const { return out_of_time_; }

  int run() {
    // Before its file is looked for: what it was started with stands in for one that is gone.
    if (auto known = check_state(name_); !known) return report(command_, operation_, known.error());
    const bool only_stops = std::none_of(verbs_.begin(), verbs_.end(), brings_up);
    if (!(only_stops && as_started(name_)) && !open()) return opened_.exit_code;
    if (auto allowed = check_privilege(); !allowed) return report(command_, operation_, allowed.error());
    LockWait wait{.until = {}, .interrupts = only_stops};
    if (together_ != nullptr) wait.stop = together_->time.stop();
    auto lock = ServiceLock::take(name_, word_, wait);
    if (!lock && only_stops && is_down(lock.error())) return report_down();
    if (!lock) return report(command_, operation_, in_time(lock.error()));
    std::optional<Signals> signals;
    if (together_ == nullptr) signals.emplace();
    const std::stop_token stop = signals ? signals->stop() : together_->time.stop();
    if (stop.stop_requested())
      return report(command_, operation_, in_time({ErrorKind::cancelled, 0, "not begun: interrupted", {}}));
    int result = code(ExitCode::ok);
    for (const Verb verb : verbs_) {
      result = brings_up(verb) ? bring_up(verb, *lock, stop) : bring_down(verb, *lock, stop);
      if (result != code(ExitCode::ok)) break;
    }
    lock->finish();
    return result;
  }

 private:
  bool is_down(const Error& why) {
    // Who is out of time asks nobody any more.
    if (why.kind == ErrorKind::cancelled) return false;
    return (opened_.service || open()) && needs_no_stop(*opened_.service, verbs_.front(), why, {});
  }

  int report_down() { return tell(command_, operation_, *opened_.service, verbs_.front(), Outcome{}); }

  bool open() {
    opened_ = open_service(command_, operation_);
    return opened_.service.has_value();
  }

  Outcome carry_out(const Service& service, Verb verb, const ServiceLock& lock, const std::stop_token& stop) {
    auto& progress = together_ == nullptr ? own_progress_ : together_->progress;
    auto outcome = run_verb(within(service, verb), verb, lock, progress.callback(), stop);
    if (outcome.error) outcome.error = in_time(*outcome.error);
    error_ = outcome.error;
    return outcome;
  }

  // Its containers are killed in time for it to be down by the end.
  [[nodiscard]] Service within(Service service, Verb verb) const {
    if (together_ == nullptr || !together_->end || brings_up(verb)) return service;
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(*together_->end - Clock::now());
    auto& own = service.stop_timeout;
    own = std::max(std::chrono::milliseconds{1}, std::min(left, own ? *own : service.timeout.value_or(left)));
    return service;
  }

  // The error, or that it is because of the end of all.
  Error in_time(Error error) {
    const bool cut = error.kind == ErrorKind::cancelled || error.kind == ErrorKind::timeout;
    if (!cut || together_ == nullptr || !together_->end || Clock::now() < *together_->end) return error;
    out_of_time_ = true;
    return {ErrorKind::timeout, 0, "not done when the time of all was over (--time-limit)", {}};
  }

  int bring_up(Verb verb, const ServiceLock& lock, const std::stop_token& stop) {
    const bool whole = verb == Verb::start || verb == Verb::activate;
    if (whole && stop_left_undone(name_, opened_.file)) {
      complain("plumb: a stop of " + name_ +
               " was left undone, and its file has changed since: finishing that first\n");
      if (const int left = bring_down(Verb::stop, lock, stop); left != code(ExitCode::ok)) return left;
    }
    if (const auto before = as_started(name_); before && verb == Verb::start)
      if (loses_addresses(*before, *opened_.service)) return keep_up(*before, lock, stop);
    opened_.service->handover_by_force = command_.force;
    const auto outcome = carry_out(*opened_.service, verb, lock, stop);
    if (!outcome.error && whole) remember(command_, opened_);
    return tell(command_, operation_, *opened_.service, verb, outcome);
  }

  // It keeps the configuration that it was started with.
  int keep_up(const AsStarted& before, const ServiceLock& lock, const std::stop_token& stop) {
    complain("plumb: warning: the file of " + name_ +
             " has other addresses for devices that are not its own than it was " +
             "started with: it is kept as it was started; `plumb restart " + name_ + "` applies the file\n");
    const auto outcome = carry_out(before.service, Verb::start, lock, stop);
    return tell(command_, operation_, before.service, Verb::start, outcome);
  }

  // By the configuration that it was started with, which is kept until it is down: this run may fail or be killed.
  int bring_down(Verb verb, const ServiceLock& lock, const std::stop_token& stop) {
    const auto before = as_started(name_);
    if (!before && !opened_.service && !open()) return opened_.exit_code;  // somebody else has stopped it meanwhile
    if (!before && read_started_or_stopping(name_))
      complain(
          "plumb: warning: the configuration that it was started with does not load any more: going by its file\n");
    const Service& service = before ? before->service : *opened_.service;
    begin_stopping(name_);
    const auto outcome = carry_out(service, verb, lock, stop);
    if (!outcome.error) forget_started(name_);
    return tell(command_, operation_, service, verb, outcome);
  }

  const CommandLine& command_;
  const std::vector<Verb>& verbs_;
  const Together* together_;
  std::string name_;
  std::string word_;
  std::string operation_;
  PullProgress own_progress_;
  std::optional<Error> error_;
  bool out_of_time_ = false;
  Opened opened_;
};

// The lane of a service of which boot or shutdown of all has something to do on this node; nullopt: it has not.
std::optional<std::string> lane_on_node(const CommandLine& command, Verb verb) {
  if (verb == Verb::shutdown)
    if (const auto before = as_started(service_name(command.service))) return lane_of(before->service);
  const auto file = read_spec(command.service, command.place);
  const auto loaded = file ? load_spec(*file, command.place) : LoadedSpec{};
  // One that cannot be read is opened once more by its change, which says what is wrong with it.
  if (!loaded.service) return std::string();
  const Service& service = *loaded.service;
  if (!service.has_node(service.node) || (verb == Verb::boot && !service.has_standby())) return std::nullopt;
  return lane_of(service);
}

struct Work {
  std::vector<CommandLine> commands;
  std::vector<std::string> lanes;
};

// Of one service, or of every one that has something to do with this node.
Work work_of(const CommandLine& command, Verb verb) {
  if (!command.service.empty()) return {{command}, {std::string()}};
  Work out;
  // What runs has to end, too, when its file is gone.
  for (const auto& name : verb == Verb::shutdown ? present_services(command.place) : service_names(command.place)) {
    CommandLine one = command;
    one.service = name;
    auto lane = lane_on_node(one, verb);
    if (!lane) continue;
    out.commands.push_back(std::move(one));
    out.lanes.push_back(*std::move(lane));
  }
  return out;
}

}  // namespace

int change(const CommandLine& command, const std::vector<Verb>& verbs) { return Change(command, verbs).run(); }

int change_all(const CommandLine& command, Verb verb) {
  const auto limit = command.time_limit.count() > 0 ? std::optional(command.time_limit) : std::nullopt;
  const auto end = limit ? std::optional(Clock::now() + *limit) : std::nullopt;
  const std::vector<Verb> verbs{verb};
  const Work work = work_of(command, verb);
  PullProgress progress(command.quiet);
  const Signals signals;
  const TimeLimit time(limit, signals.stop());
  const Change::Together together{progress, end, time};
  const OneVerdict verdict;
  std::mutex mutex;
  int worst = code(ExitCode::ok);
  std::set<std::string> left;
  run_in_lanes(work.lanes, [&](std::size_t i) {
    Change one(work.commands[i], verbs, &together);
    const int result = one.run();
    const std::lock_guard lock(mutex);
    worst = std::max(worst, result);
    if (one.out_of_time()) left.insert(work.commands[i].service);
    return one.error();
  });
  if (left.empty()) return worst;
  std::string names;
  for (const auto& name : left) names += (names.empty() ? "" : ", ") + name;
  const std::string word(to_string(verb));
  complain("plumb: " + word + ": left when its " + std::to_string(limit->count() / 1000) + " s were over: " + names +
           "\n  next: plumb " + word + " --time-limit DURATION goes on with them\n");
  return worst;
}

}  // namespace plumb
