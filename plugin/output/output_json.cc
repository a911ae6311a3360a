#include <nlohmann/json.hpp>

#include "plugin/output/output.h"

namespace plumb {

namespace {

using nlohmann::json;

std::string text_of(const json& value) { return value.dump(2, ' ', false, json::error_handler_t::replace) + "\n"; }

json error_object(const Error& error) {
  return {{"kind", to_string(error.kind)}, {"code", error.code}, {"what", error.what}, {"next", error.next}};
}

json status_object(const ServiceStatus& status) {
  json resources = json::array();
  for (const auto& r : status.resources)
    resources.push_back({{"id", r.id},
                         {"kind", r.kind},
                         {"state", to_string(r.state)},
                         {"label", r.label},
                         {"optional", r.optional},
                         {"standby", r.standby},
                         {"joins", r.joins},
                         {"problems", r.problems}});
  return {{"service", status.service},         {"node", status.node},
          {"state", to_string(status.state)},  {"engine", status.engine},
          {"resources", std::move(resources)}, {"problems", status.problems}};
}

double ms(Clock::duration time) { return std::chrono::duration<double, std::milli>(time).count(); }

}  // namespace

std::string validation_json(const std::string& service, bool ok, const std::vector<Diagnostic>& diagnostics) {
  json list = json::array();
  for (const auto& d : diagnostics)
    list.push_back({{"severity", to_string(d.severity)},
                    {"file", d.where.file},
                    {"line", d.where.line},
                    {"column", d.where.column},
                    {"message", d.message},
                    {"hint", d.hint}});
  return text_of({{"service", service}, {"ok", ok}, {"diagnostics", std::move(list)}});
}

std::string status_json(const ServiceStatus& status) { return text_of(status_object(status)); }

std::string diagnosis_json(const std::string& service, const std::vector<Finding>& findings) {
  json list = json::array();
  for (const auto& finding : findings)
    list.push_back({{"verdict", to_string(finding.verdict)},
                    {"subject", finding.subject},
                    {"check", finding.check},
                    {"text", finding.text},
                    {"next", finding.fix}});
  json out{{"findings", std::move(list)}};
  if (!service.empty()) out["service"] = service;
  return text_of(out);
}

std::string plan_json(const std::string& service, const Plan& plan) {
  json steps = json::array();
  for (const auto& step : plan.steps)
    steps.push_back(
        {{"kind", step.kind()}, {"resource", step.resource}, {"what", describe(step)}, {"after", step.after}});
  return text_of({{"service", service},
                  {"verb", to_string(plan.verb)},
                  {"partial", plan.partial},
                  {"steps", std::move(steps)},
                  {"warnings", plan.warnings}});
}

std::string outcome_json(const Service& service, Verb verb, const Outcome& outcome) {
  json path = json::array();
  for (const auto& part : outcome.critical_path)
    path.push_back({{"what", part.what}, {"total_ms", ms(part.total)}, {"engine_ms", ms(part.engine)}});
  json out = {{"service", service.name},     {"node", service.node},
              {"verb", to_string(verb)},     {"ok", !outcome.error},
              {"changed", outcome.changed},  {"elapsed_ms", ms(outcome.elapsed)},
              {"steps", outcome.steps},      {"critical_path", std::move(path)},
              {"warnings", outcome.warnings}};
  if (outcome.error) {
    out["error"] = error_object(*outcome.error);
    out["error"]["step"] = outcome.failed_step;
    out["rolled_back"] = outcome.rolled_back;
    out["undo_failures"] = outcome.undo_failures;
  } else if (brings_up(verb)) {
    out["status"] = status_object(outcome.after);
  }
  return text_of(out);
}

std::string error_json(const std::string& operation, const Error& error) {
  return text_of({{"operation", operation}, {"ok", false}, {"error", error_object(error)}});
}

}  // namespace plumb
