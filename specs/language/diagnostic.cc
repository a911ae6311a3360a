#include "specs/language/diagnostic.h"

#include <algorithm>

#include "specs/value/text.h"
#include "specs/value/utf8.h"

namespace plumb {

namespace {

constexpr std::size_t kWindow = 110;  // bytes of a source line shown: with the margin it fits 120 columns
constexpr std::size_t kBefore = 70;   // of those, bytes before the column

// The part of the source line to show and the index of the column in it. The cut never splits a UTF-8 character.
struct Excerpt {
  std::string_view text;
  std::size_t caret = 0;
  bool cut_left = false;
  bool cut_right = false;
};

Excerpt excerpt_of(const Diagnostic& diagnostic) {
  const std::string_view line = diagnostic.source_line;
  const auto column = static_cast<std::size_t>(std::max(diagnostic.where.column, 1)) - 1;
  const std::size_t caret = std::min(column, line.size());
  std::size_t from = line.size() <= kWindow || caret <= kBefore ? 0 : caret - kBefore;
  while (from > 0 && from < line.size() && continues_character(line[from])) --from;
  std::size_t to = std::min(line.size(), from + kWindow);
  while (to < line.size() && continues_character(line[to])) ++to;
  return {line.substr(from, to - from), caret - from, from > 0, to < line.size()};
}

void append_source(std::string& out, const Diagnostic& diagnostic, bool colour) {
  const Excerpt part = excerpt_of(diagnostic);
  std::string shown = "    ";
  std::string under = "    ";
  if (part.cut_left) {
    shown += "...";
    under += "   ";
  }
  for (std::size_t i = 0; i < part.text.size();) {
    const bool tab = part.text[i] == '\t';
    const std::size_t length = std::max<std::size_t>(utf8_length(part.text, i), 1);
    const auto character = part.text.substr(i, length);
    const std::string text = tab ? "\t" : printable(character);
    shown += text;
    // Each character that is shown as it is takes one cell; wide ones are rare enough in a spec to let them be.
    if (i < part.caret) under += tab ? "\t" : std::string(text == character ? 1 : text.size(), ' ');
    i += length;
  }
  if (part.cut_right) shown += "...";
  out += shown + "\n" + under + (colour ? "\x1b[32;1m^\x1b[0m\n" : "^\n");
}

std::string_view colour_of(Severity severity) {
  switch (severity) {
    case Severity::error: return "\x1b[31;1m";
    case Severity::warning: return "\x1b[35;1m";
    case Severity::note: return "\x1b[36;1m";
  }
  return "";
}

}  // namespace

std::string_view to_string(Severity severity) {
  switch (severity) {
    case Severity::error: return "error";
    case Severity::warning: return "warning";
    case Severity::note: return "note";
  }
  return "error";
}

std::string render(const Diagnostic& diagnostic, bool colour) {
  std::string out = printable(diagnostic.where.file);
  if (diagnostic.where.line > 0)
    out += ":" + std::to_string(diagnostic.where.line) + ":" + std::to_string(diagnostic.where.column);
  out += ": ";
  if (colour) out += colour_of(diagnostic.severity);
  out += to_string(diagnostic.severity);
  out += colour ? ":\x1b[0m " : ": ";
  out += printable(diagnostic.message);
  if (!diagnostic.hint.empty()) out += "; " + printable(diagnostic.hint);
  out += "\n";
  if (diagnostic.where.line > 0 && !diagnostic.source_line.empty()) append_source(out, diagnostic, colour);
  return out;
}

std::string render(std::span<const Diagnostic> diagnostics, bool colour) {
  std::string out;
  for (const auto& diagnostic : diagnostics) out += render(diagnostic, colour);
  return out;
}

}  // namespace plumb
