#include "plugin/command/commands.h"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>
#include <optional>
#include <stop_token>

#include "plugin/cluster/ocf.h"
#include "plugin/command/engine_lanes.h"
#include "plugin/command/enter.h"
#include "plugin/command/logs.h"
#include "plugin/command/service_list.h"
#include "plugin/driver/check.h"
#include "plugin/driver/driver.h"
#include "plugin/engine/private_engine.h"
#include "plugin/engine/pull_progress.h"
#include "plugin/engine/service_engine.h"
#include "plugin/node/program.h"
#include "plugin/node/service_state.h"
#include "plugin/node/signals.h"
#include "plugin/output/console.h"
#include "plugin/output/exit_code.h"
#include "plugin/output/output.h"
#include "plugin/verb/doctor.h"
#include "plugin/verb/observer.h"
#include "plugin/verb/started.h"
#include "plugin/verb/verb.h"
#include "plugin/watch/watch.h"
#include "specs/language/keywords.h"

namespace plumb {

namespace {

int validate(const CommandLine& command) {
  const std::string operation = "validate " + command.service;
  if (!command.json) {
    const auto opened = open_service(command, operation);
    if (!opened.service) return opened.exit_code;
    print(validation_text(*opened.service));
    return code(ExitCode::ok);
  }
  const auto file = read_spec(command.service, command.place);
  if (!file) return open_service(command, operation).exit_code;
  const auto loaded = load_spec(*file, command.place);
  print(validation_json(file->service, loaded.service.has_value(), loaded.diagnostics));
  return code(loaded.service ? ExitCode::ok : ExitCode::spec);
}

int show_plan(const CommandLine& command) {
  const std::string operation = "plan " + command.service;
  Verb verb = Verb::start;
  for (const Verb one : {Verb::stop, Verb::prepare, Verb::activate, Verb::boot, Verb::shutdown})
    if (command.plan_verb == to_string(one)) verb = one;
  if (auto known = check_state(service_name(command.service)); !known) return report(command, operation, known.error());
  auto before = brings_up(verb) ? std::nullopt : as_started(service_name(command.service));
  auto opened = before ? Opened{std::move(before->service), 0, {}} : open_service(command, operation);
  if (!opened.service) return opened.exit_code;
  const auto plan = preview(*opened.service, verb, {});
  if (!plan) return report(command, operation, plan.error());
  for (const auto& warning : plan->warnings) complain("plumb: warning: " + warning + "\n");
  print(command.json ? plan_json(opened.service->name, *plan) : plan_text(opened.service->name, *plan));
  return code(ExitCode::ok);
}

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
    std::stop_token stop;
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

  int run() {
    // Before its file is looked for: what it was started with stands in for one that is gone.
    if (auto known = check_state(name_); !known) return report(command_, operation_, known.error());
    const bool only_stops = std::none_of(verbs_.begin(), verbs_.end(), brings_up);
    if (!(only_stops && as_started(name_)) && !open()) return opened_.exit_code;
    if (auto allowed = check_privilege(); !allowed) return report(command_, operation_, allowed.error());
    auto lock = ServiceLock::take(name_, word_, {.until = {}, .interrupts = only_stops});
    if (!lock) return only_stops && is_down(lock.error()) ? report_down() : report(command_, operation_, lock.error());
    std::optional<Signals> signals;
    if (together_ == nullptr) signals.emplace();
    const std::stop_token stop = signals ? signals->stop() : together_->stop;
    if (stop.stop_requested())
      return report(command_, operation_, {ErrorKind::cancelled, 0, "not begun: interrupted", {}});
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
    return (opened_.service || open()) && needs_no_stop(*opened_.service, verbs_.front(), why, {});
  }

  int report_down() { return tell(command_, operation_, *opened_.service, verbs_.front(), Outcome{}); }

  bool open() {
    opened_ = open_service(command_, operation_);
    return opened_.service.has_value();
  }

  Outcome carry_out(const Service& service, Verb verb, const ServiceLock& lock, const std::stop_token& stop) {
    auto& progress = together_ == nullptr ? own_progress_ : together_->progress;
    auto outcome = run_verb(service, verb, lock, progress.callback(), stop);
    error_ = outcome.error;
    return outcome;
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
  Opened opened_;
};

int change(const CommandLine& command, const std::vector<Verb>& verbs) { return Change(command, verbs).run(); }

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

// Boot or shutdown of one service, or of every service that has something to do with this node: each engine's services
// side by side with those of the others.
int change_all(const CommandLine& command, Verb verb) {
  const std::vector<Verb> verbs{verb};
  if (!command.service.empty()) return change(command, verbs);
  std::vector<CommandLine> commands;
  std::vector<std::string> lanes;
  // What runs has to end, too, when its file is gone.
  for (const auto& name : verb == Verb::shutdown ? present_services(command.place) : service_names(command.place)) {
    CommandLine one = command;
    one.service = name;
    auto lane = lane_on_node(one, verb);
    if (!lane) continue;
    commands.push_back(std::move(one));
    lanes.push_back(*std::move(lane));
  }
  PullProgress progress(command.quiet);
  const Signals signals;
  const Change::Together together{progress, signals.stop()};
  const OneVerdict verdict;
  std::atomic<int> worst = code(ExitCode::ok);
  run_in_lanes(lanes, [&](std::size_t i) {
    Change one(commands[i], verbs, &together);
    const int result = one.run();
    for (int so_far = worst; so_far < result && !worst.compare_exchange_weak(so_far, result);) {
    }
    return one.error();
  });
  return worst;
}

int show_status_of(const CommandLine& command) {
  const std::string operation = "status " + command.service;
  auto opened = open_present(command, operation);
  if (!opened.service) return opened.exit_code;
  ServiceEngine engine(*opened.service);
  const auto observation =
      glance(*opened.service, engine, {}, command.ask_engine ? AskEngine::always : AskEngine::where_needed);
  if (!observation) return report(command, operation, observation.error());
  const auto status = evaluate(*opened.service, observation->seen);
  print(command.json ? status_json(status) : status_tree(status, colour_on(1)));
  return code(exit_code(status.state));
}

// Engines that hang, and have to be asked, take their time at once, before the first line is written.
void meet_engines(const std::vector<std::string>& names, const CommandLine& command) {
  std::map<std::string, Service> met;
  for (const auto& name : names) {
    const auto file = read_spec(name, command.place);
    auto service = file ? load_spec(*file, command.place).service : std::nullopt;
    if (!service || (!command.ask_engine && observe_whole(*service, ServiceEngine(*service)))) continue;
    if (auto lane = lane_of(*service); !lane.empty()) met.try_emplace(std::move(lane), *std::move(service));
  }
  std::vector<std::string> lanes;
  lanes.reserve(met.size());
  for (const auto& [lane, service] : met) lanes.push_back(lane);
  run_in_lanes(lanes, [&](std::size_t i) -> std::optional<Error> {
    const auto seen = ServiceEngine(met.at(lanes[i])).observe({});
    return seen.state == EngineState::unreachable ? std::optional(seen.error) : std::nullopt;
  });
}

// Every service; the exit code is that of the worst.
int show_status(CommandLine command) {
  if (!command.service.empty()) return show_status_of(command);
  const auto names = present_services(command.place);
  if (names.empty())
    return report(command, "status",
                  Error{ErrorKind::not_found, 0, "there is no service in " + command.place.config_dir,
                        "write one: " + command.place.config_dir + "/NAME.conf"});
  int worst = 0;
  const OneVerdict verdict;
  meet_engines(names, command);
  if (command.json) print("[\n");
  for (std::size_t i = 0; i < names.size(); ++i) {
    command.service = names[i];
    worst = std::max(worst, show_status_of(command));
    if (command.json && i + 1 < names.size()) print(",\n");
  }
  if (command.json) print("]\n");
  return worst;
}

// Done when nothing is wrong; a note is no fault.
int show_diagnosis(const CommandLine& command) {
  const std::string operation = "doctor " + command.service;
  auto opened = open_present(command, operation);
  if (!opened.service) return opened.exit_code;
  if (auto allowed = check_privilege(); !allowed) return report(command, operation, allowed.error());
  const Signals signals;
  const auto findings = examine(*opened.service, signals.stop());
  if (!findings) return report(command, operation, findings.error());
  print(command.json ? diagnosis_json(opened.service->name, *findings) : diagnosis_text(*findings, colour_on(1)));
  const bool well = std::none_of(findings->begin(), findings->end(),
                                 [](const Finding& finding) { return finding.verdict == Verdict::problem; });
  return code(well ? ExitCode::ok : ExitCode::failed);
}

int explain_keywords(const CommandLine& command) {
  if (command.keyword.empty()) {
    print(keyword_reference());
    return code(ExitCode::ok);
  }
  const auto text = keyword_reference(command.keyword);
  if (!text) {
    report(command, "keywords", text.error());
    return code(ExitCode::usage);
  }
  print(*text);
  return code(ExitCode::ok);
}

int run_docker(const CommandLine& command) {
  const std::string operation = "docker " + command.service;
  auto opened = open_present(command, operation);
  if (!opened.service) return opened.exit_code;
  const auto program = find_program(
      "docker", "install the docker command (Debian: apt-get install docker-cli, or docker.io in Debian 12)");
  if (!program) return report(command, operation, program.error());
  std::vector<std::string> arguments{*program};
  if (!opened.service->docker_data_dir.empty()) {
    const auto engine = PrivateEngine::of(*opened.service);
    const auto state = engine.state();
    if (!state) return report(command, operation, state.error());
    if (*state != EngineState::up)
      return report(command, operation,
                    Error{ErrorKind::unreachable, 0, "the service's engine is not running",
                          "plumb start " + opened.service->name});
    arguments.push_back("--host=unix://" + engine.socket());
  } else if (!opened.service->engine_socket.empty()) {
    arguments.push_back("--host=unix://" + opened.service->engine_socket);
  }
  arguments.insert(arguments.end(), command.arguments.begin(), command.arguments.end());
  return report(command, operation, exec_program(arguments));
}

int run_driver(const CommandLine& command) {
  return command.driver.check ? driver::show_check(command.driver, command.json) : driver::run_driver(command.driver);
}

}  // namespace

int run_command(const CommandLine& command) {
  switch (command.action) {
    case Action::validate: return validate(command);
    case Action::plan: return show_plan(command);
    case Action::start: return change(command, {Verb::start});
    case Action::stop: return change(command, {Verb::stop});
    case Action::restart: return change(command, {Verb::stop, Verb::start});
    case Action::prepare: return change(command, {Verb::prepare});
    case Action::activate: return change(command, {Verb::activate});
    case Action::boot: return change_all(command, Verb::boot);
    case Action::shutdown: return change_all(command, Verb::shutdown);
    case Action::status: return show_status(command);
    case Action::doctor: return show_diagnosis(command);
    case Action::ls: return list_services(command);
    case Action::logs: return show_logs(command);
    case Action::enter: return enter_service(command);
    case Action::keywords: return explain_keywords(command);
    case Action::docker: return run_docker(command);
    case Action::driver: return run_driver(command);
    case Action::watch: return watch::run_watch({command.watch_metrics, command.timing});
    case Action::ocf: return run_ocf(command.ocf_action);
    case Action::version: print(std::string("plumb ") + PLUMB_VERSION + "\n"); return code(ExitCode::ok);
  }
  return code(ExitCode::usage);
}

}  // namespace plumb
