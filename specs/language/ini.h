// Ini: the text of a spec as sections and entries, each with its place. The reader of OpenSVC's ini dialect.
//
// Threads: plain values and a pure function. Privilege: none. No exception leaves it, whatever the bytes.
//
// The dialect is what both generations of OpenSVC accept (agent 2.1: a copy of Python's RawConfigParser; om3: go-ini
// with AllowPythonMultilineValues and SpaceBeforeInlineComment), made strict where those are silent:
// - `[section]` alone on its line; `keyword = value` or `keyword: value`, the first of the two signs counts;
//   `keyword@scope = value`. White space around each part is dropped. Keywords keep their case.
// - A line whose first character after white space is # or ; is a comment. A # or ; after white space begins a comment
// too,
//   except inside single or double quotes that are closed on the same line.
// - A line indented deeper than the keyword it follows continues that keyword's value, joined by a newline. Blank lines
//   and comments may stand between.
// - A byte order mark at the start, CRLF line ends and a missing last newline are accepted.
// - An empty value is kept: for a spec it means "not set".
// Errors: a second section or `keyword@scope` of the same name (they would silently merge or win), entries before the
// first section, lines that are none of these, control characters, bytes that are not UTF-8, more than 1 MiB or a line
// over 64 KiB.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "specs/language/diagnostic.h"

namespace plumb {

inline constexpr std::size_t kLargestSpec = std::size_t{1} << 20U;   // bytes of a file
inline constexpr std::size_t kLongestLine = std::size_t{64} * 1024;  // bytes of a line

struct IniEntry {
  // Where one line of the value begins: byte `offset` of the value is at line:column.
  struct Piece {
    std::size_t offset = 0;
    int line = 0;
    int column = 0;
  };

  std::string key;       // without the scope
  std::string scope;     // what follows '@'; empty when there is none
  Position where;        // of the keyword
  Position scope_where;  // of the scope; of the keyword when there is none
  std::string value;
  std::vector<Piece> pieces;  // at least one, ascending

  // The place of a byte of the value; an offset past its end gives the place just behind it.
  [[nodiscard]] Position at(std::size_t offset) const;
};

struct IniSection {
  std::string name;
  Position where;  // of the opening bracket
  std::vector<IniEntry> entries;
  bool damaged = false;  // a line of it was refused, so what seems missing may only be mistyped
};

struct Ini {
  std::vector<IniSection> sections;     // in the order of the file, names unique
  std::vector<Diagnostic> diagnostics;  // errors of the text itself, without source lines

  // Nullptr when there is no such section.
  [[nodiscard]] const IniSection* section(std::string_view name) const;
};

// `file` is the name shown in positions.
[[nodiscard]] Ini read_ini(std::string_view text, std::string_view file);

// The lines of a text, without their ends (LF or CRLF) and without a byte order mark.
[[nodiscard]] std::vector<std::string_view> lines_of(std::string_view text);

}  // namespace plumb
