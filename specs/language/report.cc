#include "specs/language/report.h"

#include <algorithm>
#include <tuple>

#include "specs/language/ini.h"

namespace plumb {

namespace {

constexpr std::size_t kMost = 200;  // diagnostics given: nobody reads more, and a hostile file could ask for many
constexpr std::size_t kMostSource = 4096;  // bytes of a source line kept

auto place_of(const Diagnostic& d) { return std::tuple(d.where.line, d.where.column); }

bool same(const Diagnostic& a, const Diagnostic& b) { return place_of(a) == place_of(b) && a.message == b.message; }

}  // namespace

void Report::say(Severity severity, const Position& where, std::string message, std::string hint) {
  failed_ = failed_ || severity == Severity::error;
  diagnostics_.push_back({severity, where, std::move(message), std::move(hint), {}});
}

void Report::error(const Position& where, std::string message, std::string hint) {
  say(Severity::error, where, std::move(message), std::move(hint));
}

void Report::warning(const Position& where, std::string message, std::string hint) {
  say(Severity::warning, where, std::move(message), std::move(hint));
}

void Report::add(std::vector<Diagnostic> diagnostics) {
  for (auto& d : diagnostics) say(d.severity, d.where, std::move(d.message), std::move(d.hint));
}

std::vector<Diagnostic> Report::take(std::string_view text) {
  std::vector<Diagnostic> out = std::move(diagnostics_);
  diagnostics_.clear();
  std::stable_sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return place_of(a) < place_of(b); });
  std::vector<Diagnostic> kept;
  for (auto& d : out) {
    const bool known = std::any_of(kept.rbegin(), kept.rend(), [&](const auto& other) { return same(other, d); });
    if (!known && kept.size() < kMost) kept.push_back(std::move(d));
  }
  // Errors may lie behind the last one kept: a refused spec must not look like one with warnings only.
  const bool shown = std::any_of(kept.begin(), kept.end(), [](const auto& d) { return d.severity == Severity::error; });
  if (failed_ && !shown)
    kept.back() = {Severity::error,
                   {kept.back().where.file, 0, 0},
                   "too many warnings to show the errors",
                   "mend the warnings first",
                   {}};
  const auto lines = lines_of(text.substr(0, kLargestSpec));
  for (auto& d : kept) {
    const auto index = static_cast<std::size_t>(std::max(d.where.line, 1)) - 1;
    const auto needed = kMostSource + static_cast<std::size_t>(std::max(d.where.column, 0));
    if (d.where.line > 0 && index < lines.size()) d.source_line = lines[index].substr(0, needed);
  }
  return kept;
}

}  // namespace plumb
