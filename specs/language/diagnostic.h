// Diagnostic: one thing to say about a spec, with its place, as a compiler says it.
//
// Threads: plain values and pure functions. Privilege: none.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "specs/language/position.h"

namespace plumb {

enum class Severity {
  error,    // the spec is refused
  warning,  // the spec is loaded, but something in it has no effect or is likely not what was meant
  note,     // goes with the diagnostic before it
};

// "error", "warning" or "note".
[[nodiscard]] std::string_view to_string(Severity severity);

struct Diagnostic {
  Severity severity = Severity::error;
  Position where;           // line 0: about the file (or the command line) as a whole
  std::string message;      // a sentence without a full stop
  std::string hint;         // what to do about it; may be empty
  std::string source_line;  // the line that `where` names, without its end; may be empty
};

// The diagnostic as text, each line ended by a newline: "file:line:column: error: message; hint", then the source line
// and a caret under the column. Bytes that a terminal would act on are shown as \xNN, and a long source line is cut to
// a window around the column. `colour` adds ANSI SGR sequences (ECMA-48 8.3.117).
[[nodiscard]] std::string render(const Diagnostic& diagnostic, bool colour);
// All of them, in their order.
[[nodiscard]] std::string render(std::span<const Diagnostic> diagnostics, bool colour);

}  // namespace plumb
