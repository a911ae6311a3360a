// Keywords: the one table of every keyword of the spec language. The loader reads by it and the documentation is made
// of it.
//
// Threads: constant data and pure functions. Privilege: none.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "specs/value/result.h"

namespace plumb {

// The kinds of section that have keywords of their own. [env] has none: every key of it is the user's.
enum class SectionKind { defaults, ip, container };

// "DEFAULT", "ip", "container".
[[nodiscard]] std::string_view to_string(SectionKind kind);

enum class ValueType {
  string,
  boolean,
  integer,
  duration,
  choice,     // one of the candidates
  words,      // split as a shell splits them
  addresses,  // ip addresses or host names
  address,
  netmask,
  mac,
  device,    // the name of a network device
  resource,  // the id of a container, or one of the candidates
  path,
  nodes,
  announce,  // a count and, after white space, a duration
};

// What a person calls it: "boolean", "list of words", ...
[[nodiscard]] std::string_view to_string(ValueType type);

enum class Origin { opensvc, plumb };

// What this version does with a keyword.
enum class Support {
  yes,
  not_yet,  // understood and refused with an error: to go on without it would be unsafe
  ignored,  // read, and a warning says that it has no effect
};

struct Keyword {
  SectionKind section = SectionKind::defaults;
  std::string_view name;
  std::string_view aliases = {};  // other spellings, separated by spaces
  ValueType type = ValueType::string;
  bool required = false;
  bool scopable = true;
  std::string_view default_value = {};  // as it would be written; empty when there is none or it is computed
  std::string_view default_text = {};   // how the default is found, where it is no plain value
  std::string_view candidates = {};     // of a choice or a resource, separated by spaces
  std::string_view example = {};        // a value that loads
  Origin origin = Origin::opensvc;
  Support support = Support::yes;
  std::string_view text;  // a paragraph for users
};

// The keywords of one kind of section, in the order to document them.
[[nodiscard]] std::span<const Keyword> keywords_of(SectionKind kind);

// By name or alias; nullptr when there is none.
[[nodiscard]] const Keyword* find_keyword(SectionKind kind, std::string_view name);

// The space-separated words of a table field.
[[nodiscard]] std::vector<std::string> table_words(std::string_view field);

// `text`, which is one of the space-separated candidates of a table row. Errors: spec, with the candidates.
[[nodiscard]] Result<std::string> parse_choice(std::string_view text, std::string_view candidates);

// Every name and alias of a kind of section.
[[nodiscard]] std::vector<std::string> keyword_names(SectionKind kind);

// All keywords, grouped by section, one line each with its type and default.
[[nodiscard]] std::string keyword_reference();

// One keyword in full: "netmask" (each section's, when several have it), "ip.netmask" or an alias. An unknown name is
// ErrorKind::not_found with the nearest known names in `next`.
[[nodiscard]] Result<std::string> keyword_reference(std::string_view name);

}  // namespace plumb
