// What plumb prints: for people, with colour only on a terminal, and as JSON with the schema that plumb(8) documents.
//
// Threads: one at a time. Privilege: none.
#pragma once

#include <string>

#include "plugin/verb/verb.h"
#include "specs/language/diagnostic.h"
#include "specs/plan/plan.h"
#include "specs/status/diagnosis.h"
#include "specs/status/status.h"
#include "specs/value/result.h"

namespace plumb {

// Whether the stream (1 or 2) is a terminal that may be coloured: NO_COLOR (no-color.org) and TERM=dumb are honoured.
[[nodiscard]] bool colour_on(int fd);

// "plumb: start svc1: <what>", the step that failed, and on a line of its own what to do next.
[[nodiscard]] std::string error_text(const std::string& operation, const Error& error, const std::string& step,
                                     bool colour);

[[nodiscard]] std::string validation_text(const Service& service);
[[nodiscard]] std::string validation_json(const std::string& service, bool ok,
                                          const std::vector<Diagnostic>& diagnostics);

[[nodiscard]] std::string status_tree(const ServiceStatus& status, bool colour);
[[nodiscard]] std::string status_json(const ServiceStatus& status);

// What the doctor found: "problem  ip#0  rival  ...", and "next: ..." below.
[[nodiscard]] std::string diagnosis_text(const std::vector<Finding>& findings, bool colour);
// Without a service: only what was found.
[[nodiscard]] std::string diagnosis_json(const std::string& service, const std::vector<Finding>& findings);

[[nodiscard]] std::string plan_text(const std::string& service, const Plan& plan);
[[nodiscard]] std::string plan_json(const std::string& service, const Plan& plan);

// "svc1: up on n1 in 402 ms: 10.0.3.3/24 on eth0 (macvlan on eth0) in container#0".
[[nodiscard]] std::string outcome_text(const Service& service, Verb verb, const Outcome& outcome);
[[nodiscard]] std::string outcome_json(const Service& service, Verb verb, const Outcome& outcome);
[[nodiscard]] std::string error_json(const std::string& operation, const Error& error);

// The critical path, a line each: total, engine and plumb's own milliseconds.
[[nodiscard]] std::string timing_text(const Outcome& outcome);

}  // namespace plumb
