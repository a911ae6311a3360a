// Any bytes as a spec: the loader answers a service or errors, with places inside the text, and what it prints is text.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "specs/language/ini.h"
#include "specs/plan/planner.h"
#include "specs/service/loader.h"
#include "specs/status/status.h"
#include "specs/value/utf8.h"

namespace {

// What is valid has a plan, or an error, in whatever state the node is.
void plan(const plumb::Service& service) {
  plumb::Observed seen;
  seen.engine.state = plumb::EngineState::up;
  seen.node.links = {{1, "lo", "", {}, 65536, true, true, 0, 0}, {2, "eth0", "", {}, 1500, true, true, 0, 0}};
  seen.node.addresses = {{plumb::Cidr::parse("10.0.3.1/24").value(), 2, false, false}};
  for (const bool there : {false, true}) {
    for (const auto& c : service.containers) {
      if (!there) continue;
      auto& have = seen.containers[c.id];
      have.id = c.id;
      have.name = c.name;
      have.state = "exited";
      have.service = service.name;
      have.resource = c.id;
    }
    for (const auto verb : {plumb::Verb::start, plumb::Verb::stop, plumb::Verb::boot, plumb::Verb::prepare,
                            plumb::Verb::activate, plumb::Verb::withdraw, plumb::Verb::shutdown})
      if (const auto made = plumb::plan(service, seen, verb))
        for (const auto& step : made->steps)
          if (plumb::describe(step).empty()) __builtin_trap();
    if (plumb::evaluate(service, seen).service != service.name) __builtin_trap();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  plumb::LoadOptions options;
  options.file = "fuzz.conf";
  options.service = "svc1";
  options.node = "n1";
  const auto loaded = plumb::load_service(text, options);
  const bool failed = std::any_of(loaded.diagnostics.begin(), loaded.diagnostics.end(),
                                  [](const auto& d) { return d.severity == plumb::Severity::error; });
  if (loaded.service.has_value() == failed) __builtin_trap();
  if (loaded.service) plan(*loaded.service);
  const auto lines = plumb::lines_of(text);
  for (const auto& d : loaded.diagnostics) {
    if (d.message.empty() || d.where.line < 0 ||
        static_cast<std::size_t>(d.where.line) > std::max<std::size_t>(lines.size(), 1))
      __builtin_trap();
    if (d.where.line > 0 && static_cast<std::size_t>(d.where.line) <= lines.size() &&
        static_cast<std::size_t>(d.where.column) > lines[static_cast<std::size_t>(d.where.line) - 1].size() + 1)
      __builtin_trap();
    const auto shown = plumb::render(d, false);
    for (std::size_t i = 0; i < shown.size();) {
      const std::size_t length = shown[i] == '\n' || shown[i] == '\t' ? 1 : plumb::utf8_length(shown, i);
      if (length == 0) __builtin_trap();
      i += length;
    }
  }
  return 0;
}
