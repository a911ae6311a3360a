#include "plugin/commands.h"

#include <cstdio>

#include "plugin/cluster/ocf.h"
#include "plugin/console.h"
#include "plugin/doctor.h"
#include "plugin/driver/check.h"
#include "plugin/driver/driver.h"
#include "plugin/enter.h"
#include "plugin/exit_code.h"
#include "plugin/logs.h"
#include "plugin/observer.h"
#include "plugin/output.h"
#include "plugin/private_engine.h"
#include "plugin/program.h"
#include "plugin/pull_progress.h"
#include "plugin/service_list.h"
#include "plugin/signals.h"
#include "plugin/started.h"
#include "plugin/verb.h"
#include "plugin/watch/watch.h"
#include "specs/keywords.h"

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
  auto opened = open_service(command, operation);
  if (!opened.service) return opened.exit_code;
  Verb verb = Verb::start;
  for (const Verb one : {Verb::stop, Verb::prepare, Verb::activate, Verb::boot, Verb::shutdown})
    if (command.plan_verb == to_string(one)) verb = one;
  const auto plan = preview(*opened.service, verb, {});
  if (!plan) return report(command, operation, plan.error());
  for (const auto& warning : plan->warnings) complain("plumb: warning: " + warning + "\n");
  print(command.json ? plan_json(opened.service->name, *plan) : plan_text(opened.service->name, *plan));
  return code(ExitCode::ok);
}

int tell(const CommandLine& command, const std::string& operation, const Service& service, Verb verb,
         const Outcome& outcome) {
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
  return outcome.error ? code(exit_code(outcome.error->kind)) : code(ExitCode::ok);
}

// For the watcher. A start that nobody watches over is a start all the same.
void remember(const CommandLine& command, const Service& service) {
  auto file = read_spec(command.service, command.place);
  auto done = file ? record_started(service, *file, command.place) : Result<void>(Err{file.error()});
  if (!done) complain("plumb: warning: plumb watch will not know of it: " + done.error().what + "\n");
}

int change(const CommandLine& command, const std::vector<Verb>& verbs) {
  const std::string word = verbs.size() == 2 ? std::string("restart") : std::string(to_string(verbs.front()));
  const std::string operation = word + " " + command.service;
  auto opened = open_service(command, operation);
  if (!opened.service) return opened.exit_code;
  if (auto allowed = check_privilege(); !allowed) return report(command, operation, allowed.error());
  auto lock = ServiceLock::take(opened.service->name, word);
  if (!lock) return report(command, operation, lock.error());
  const Signals signals;
  PullProgress progress(command.quiet);
  int result = code(ExitCode::ok);
  for (const Verb verb : verbs) {
    if (!brings_up(verb)) forget_started(opened.service->name);
    const auto outcome = run_verb(*opened.service, verb, *lock, progress.callback(), signals.stop());
    result = tell(command, operation, *opened.service, verb, outcome);
    if (outcome.error) break;
    if (verb == Verb::start || verb == Verb::activate) remember(command, *opened.service);
  }
  lock->finish();
  return result;
}

// Boot or shutdown of one service, or of every service that has something to do with this node.
int change_all(CommandLine command, Verb verb) {
  if (!command.service.empty()) return change(command, {verb});
  int worst = code(ExitCode::ok);
  for (const auto& name : service_names(command.place)) {
    command.service = name;
    const auto file = read_spec(name, command.place);
    const auto loaded = file ? load_spec(*file, command.place) : LoadedSpec{};
    // One that cannot be read is opened once more by change(), which says what is wrong with it.
    if (loaded.service &&
        (!loaded.service->has_node(loaded.service->node) || (verb == Verb::boot && !loaded.service->has_standby())))
      continue;
    worst = std::max(worst, change(command, {verb}));
  }
  return worst;
}

int show_status_of(const CommandLine& command) {
  const std::string operation = "status " + command.service;
  auto opened = open_service(command, operation);
  if (!opened.service) return opened.exit_code;
  ServiceEngine engine(*opened.service);
  const auto observation = observe(*opened.service, engine, {});
  if (!observation) return report(command, operation, observation.error());
  const auto status = evaluate(*opened.service, observation->seen);
  print(command.json ? status_json(status) : status_tree(status, colour_on(1)));
  return code(exit_code(status.state));
}

// Every service; the exit code is that of the worst.
int show_status(CommandLine command) {
  if (!command.service.empty()) return show_status_of(command);
  const auto names = service_names(command.place);
  if (names.empty())
    return report(command, "status",
                  Error{ErrorKind::not_found, 0, "there is no service in " + command.place.config_dir,
                        "write one: " + command.place.config_dir + "/NAME.conf"});
  int worst = 0;
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
  auto opened = open_service(command, operation);
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
  auto opened = open_service(command, operation);
  if (!opened.service) return opened.exit_code;
  const auto program = find_program("docker", "install the docker command (Debian: apt-get install docker.io)");
  if (!program) return report(command, operation, program.error());
  std::vector<std::string> arguments{*program};
  if (!opened.service->docker_data_dir.empty()) {
    const auto engine = PrivateEngine::of(*opened.service);
    const auto state = engine.state();
    if (state && *state != EngineState::up)
      return report(command, operation,
                    Error{ErrorKind::unreachable, 0, "the service's engine is not running",
                          "plumb start " + opened.service->name});
    arguments.push_back("--host=unix://" + engine.socket());
  }
  arguments.insert(arguments.end(), command.arguments.begin(), command.arguments.end());
  return report(command, operation, exec_program(arguments));
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
    case Action::driver: return command.driver.check ? driver::show_check(command) : driver::run_driver(command);
    case Action::watch: return watch::run_watch(command);
    case Action::ocf: return run_ocf(command.ocf_action);
    case Action::version: print(std::string("plumb ") + PLUMB_VERSION + "\n"); return code(ExitCode::ok);
  }
  return code(ExitCode::usage);
}

}  // namespace plumb
