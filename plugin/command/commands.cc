#include "plugin/command/commands.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <optional>

#include "plugin/cluster/ocf.h"
#include "plugin/command/change.h"
#include "plugin/command/engine_lanes.h"
#include "plugin/command/enter.h"
#include "plugin/command/logs.h"
#include "plugin/command/service_list.h"
#include "plugin/driver/check.h"
#include "plugin/driver/driver.h"
#include "plugin/engine/private_engine.h"
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
