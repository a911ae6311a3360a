#include "plugin/command/service_list.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <set>

#include "plugin/command/engine_lanes.h"
#include "plugin/engine/service_engine.h"
#include "plugin/node/service_state.h"
#include "plugin/output/console.h"
#include "plugin/output/output.h"
#include "plugin/verb/observer.h"
#include "plugin/verb/spec_file.h"
#include "plugin/verb/started.h"
#include "specs/plan/planned_address.h"
#include "specs/status/status.h"
#include "specs/value/text.h"

namespace plumb {

namespace {

std::vector<std::string> addresses_of(const Service& service, const Observed& seen) {
  std::vector<std::string> out;
  for (const auto& ip : service.ips) {
    if (ip.disable) continue;
    const auto resolved = resolved_addresses(ip, seen);
    if (resolved)
      for (const auto& address : *resolved) out.push_back(address.to_string());
    else
      for (const auto& name : ip.names) out.push_back(name.to_string());
  }
  return out;
}

std::string state_of(const ServiceStatus& status) {
  const auto stands_by = [](const ResourceStatus& r) { return r.standby && r.state == Availability::up; };
  if (status.state == Availability::down && std::any_of(status.resources.begin(), status.resources.end(), stands_by))
    return "standby";
  return std::string(to_string(status.state));
}

const char* colour_of(const std::string& state) {
  if (state == "up") return "\033[32m";
  if (state == "degraded" || state == "standby") return "\033[33m";
  if (state == "disabled") return "\033[2m";
  return "\033[31m";
}

using Cells = std::array<std::string, 5>;

Cells cells_of(const ListedService& one) {
  if (one.state == "invalid") {
    const std::string why =
        one.failure ? one.failure->what : counted(one.errors, "error") + ": plumb validate " + printable(one.name);
    return {printable(one.name), one.state, "-", "-", why};
  }
  std::string addresses;
  for (const auto& address : one.addresses) addresses += (addresses.empty() ? "" : ",") + address;
  return {printable(one.name), one.state, one.topology, one.here ? "yes" : "no", addresses.empty() ? "-" : addresses};
}

// Which exit code a line stands for. A service that has no business here may be unknown at no cost.
int finding(const ListedService& one) {
  const bool invalid = one.state == "invalid";
  if (!invalid && (one.state != "unknown" || !one.here)) return code(ExitCode::ok);
  const bool late = one.failure && one.failure->kind == ErrorKind::timeout;  // no answer is none, soon or late
  if (one.failure && !late) return code(exit_code(one.failure->kind));
  return code(invalid ? ExitCode::spec : ExitCode::unreachable);
}

// One engine that does not answer is one sentence, however many services it has.
void complain_once(const std::vector<ListedService>& services) {
  std::set<std::string> said;
  for (const auto& one : services)
    if (one.failure && said.insert(one.failure->what).second)
      complain(error_text("ls: " + printable(one.name), *one.failure, {}, colour_on(2)));
}

// What it was started with, or what is to be started.
Result<SpecFile> file_of(const std::string& name, const SpecPlace& place) {
  auto file = read_spec(name, place);
  if (file || file.error().kind == ErrorKind::not_found)
    if (auto started = as_started(name)) return std::move(started->started.file);
  return file;
}

}  // namespace

ListedService look_at_service(const std::string& name, const SpecPlace& place) {
  ListedService out;
  out.name = name;
  out.node = place.node.empty() ? node_name() : place.node;
  out.state = "invalid";
  auto file = file_of(name, place);
  const auto fail = [&out](const Error& error) {
    out.problems.push_back(error.what);
    out.failure = error;
    return out;
  };
  auto known = check_state(name);
  if (!file) return fail(known ? file.error() : known.error());
  const auto loaded = load_spec(*file, place);
  if (!loaded.service) {
    out.errors = error_count(loaded.diagnostics);
    return out;
  }
  const Service& service = *loaded.service;
  out.topology = service.topology;
  out.here = service.has_node(service.node);
  out.state = to_string(Availability::unknown);
  out.addresses = addresses_of(service, {});
  if (!known) return fail(known.error());
  ServiceEngine engine(service);
  auto observation = glance(service, engine, {});
  if (!observation) return fail(observation.error());
  const auto status = evaluate(service, observation->seen);
  out.state = state_of(status);
  out.problems = status.problems;
  if (observation->seen.engine.state == EngineState::unreachable) out.failure = observation->seen.engine.error;
  out.addresses = addresses_of(service, observation->seen);
  return out;
}

std::string list_text(const std::vector<ListedService>& services, bool colour) {
  std::vector<Cells> rows{{"SERVICE", "STATE", "TOPOLOGY", "HERE", "ADDRESSES"}};
  for (const auto& one : services) rows.push_back(cells_of(one));
  std::array<std::size_t, 5> widths{};
  for (const auto& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  std::string out;
  for (std::size_t n = 0; n < rows.size(); ++n) {
    for (std::size_t i = 0; i < rows[n].size(); ++i) {
      const std::string& cell = rows[n][i];
      const bool coloured = colour && n > 0 && i == 1;
      out += coloured ? colour_of(cell) + cell + "\033[0m" : cell;
      if (i + 1 < rows[n].size()) out.append(widths[i] - cell.size() + 2, ' ');
    }
    out += '\n';
  }
  return out;
}

std::string list_json(const std::vector<ListedService>& services) {
  using nlohmann::json;
  json list = json::array();
  for (const auto& one : services)
    list.push_back({{"service", one.name},
                    {"state", one.state},
                    {"node", one.node},
                    {"here", one.here},
                    {"topology", one.topology},
                    {"addresses", one.addresses},
                    {"errors", one.errors},
                    {"problems", one.problems}});
  return list.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

int list_services(const CommandLine& command) {
  const auto names = present_services(command.place);
  std::vector<ListedService> services(names.size());
  std::vector<std::string> engines;
  for (const auto& name : names) {
    const auto file = file_of(name, command.place);
    const auto service = file ? load_spec(*file, command.place).service : std::nullopt;
    engines.push_back(service ? lane_of(*service) : std::string());
  }
  const OneVerdict verdict;
  run_in_lanes(engines, [&](std::size_t i) {
    services[i] = look_at_service(names[i], command.place);
    return services[i].failure;
  });
  print(command.json ? list_json(services) : list_text(services, colour_on(1)));
  if (services.empty()) complain("plumb: ls: there is no service in " + command.place.config_dir + "\n");
  complain_once(services);
  int worst = code(ExitCode::ok);
  for (const auto& one : services) worst = std::max(worst, finding(one));
  return worst;
}

}  // namespace plumb
