// SectionReader: the settings of one section as typed values; whatever cannot be one is reported with its place.
//
// Threads: one load's own. Privilege: none.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "specs/language/keywords.h"
#include "specs/language/resolver.h"
#include "specs/value/scalar.h"

namespace plumb {

template <typename T>
struct Placed {
  T value;
  Position where;
};

// Every reading function checks the settings for other nodes too (those without references), so that a spec's faults
// show on whichever node it is loaded. A keyword that is not set on this node, set to nothing, or at fault reads as
// nothing.
class SectionReader {
 public:
  // The resolver, the section and the report must outlive the reader. Indented lines that look like keywords or section
  // headers of their own are reported at once, and the settings they went into read as nothing.
  SectionReader(Resolver& resolver, const IniSection& section, SectionKind kind, Report& report);

  [[nodiscard]] const IniSection& section() const { return section_; }
  [[nodiscard]] Report& report() { return report_; }
  [[nodiscard]] const std::string& node() const { return resolver_.node(); }
  // Resolver::as_guest().
  void as_guest(std::vector<std::string> names) { resolver_.as_guest(std::move(names)); }

  // Reports keywords that the section's kind does not have, that have no effect, that are not supported, that are set
  // twice under two spellings, and scopes that name no node.
  void check_keywords(const Ini& ini);

  // The place of the setting that holds on this node, when there is one with a value.
  [[nodiscard]] std::optional<Position> place(std::string_view name) const;
  // The place of the setting that holds on this node, where nothing is left of it once its references are replaced.
  [[nodiscard]] std::optional<Position> emptied(std::string_view name);
  // The service is not this node's: what is set for its nodes alone is not missing here.
  [[nodiscard]] bool is_elsewhere() const { return !resolver_.lists_node(resolver_.node()); }
  // The scopes that a keyword is set for, as "@n1, @nodes"; empty when it is not set at all.
  [[nodiscard]] std::string scopes(std::string_view name) const;
  // Whether a line that was refused, or a keyword that nobody knows, may be this one: to call it missing as well would
  // only be noise. After check_keywords().
  [[nodiscard]] bool may_be_mistyped(std::string_view name) const;

  [[nodiscard]] std::optional<Placed<std::string>> text(std::string_view name);
  [[nodiscard]] bool boolean(std::string_view name);  // the table's default when not set
  [[nodiscard]] std::optional<Placed<unsigned>> integer(std::string_view name, unsigned least, unsigned most);
  // At least one millisecond unless `zero`.
  [[nodiscard]] std::optional<std::chrono::milliseconds> duration(std::string_view name, bool zero = false);
  // One of the table's candidates; the table's default when not set.
  [[nodiscard]] std::string choice(std::string_view name);
  [[nodiscard]] std::vector<Placed<std::string>> words(std::string_view name);

  // The words of the setting that holds on this node (true) and of every other that has no reference (false), where one
  // word gives another its meaning.
  void word_lists(std::string_view name,
                  const std::function<void(const std::vector<Placed<std::string>>&, bool)>& visit);

  // A single value, by any function that makes a Result<T> of a text.
  template <typename Parse>
  [[nodiscard]] auto single(std::string_view name, Parse parse)
      -> std::optional<Placed<typename decltype(parse(std::string_view()))::value_type>> {
    using T = typename decltype(parse(std::string_view()))::value_type;
    std::optional<Placed<T>> out;
    each(name, [&](const Resolved& value, bool here) {
      auto result = parse(std::string_view(value.text));
      if (!result) return fault(name, value, value.at(0), result.error());
      if (here) out = Placed<T>{std::move(result).value(), value.at(0)};
    });
    return out;
  }

  // A list of values, each word by any function that makes a Result<T> of a text.
  template <typename Parse>
  [[nodiscard]] auto list(std::string_view name, Parse parse)
      -> std::vector<Placed<typename decltype(parse(std::string_view()))::value_type>> {
    using T = typename decltype(parse(std::string_view()))::value_type;
    std::vector<Placed<T>> out;
    each(name, [&](const Resolved& value, bool here) {
      for (auto& word : split(name, value)) {
        auto result = parse(std::string_view(word.value));
        if (!result) {
          fault(name, value, word.where, result.error());
        } else if (here) {
          out.push_back({std::move(result).value(), word.where});
        }
      }
    });
    return out;
  }

 private:
  [[nodiscard]] const Keyword& keyword(std::string_view name) const;
  // Calls with the setting that holds on this node (true) and with every other that has no reference (false).
  void each(std::string_view name, const std::function<void(const Resolved&, bool here)>& visit);
  [[nodiscard]] std::vector<Placed<std::string>> split(std::string_view name, const Resolved& value);
  void fault(std::string_view name, const Resolved& value, const Position& where, const Error& error);
  // " in [section]" of the section that holds the setting, which may be [DEFAULT].
  [[nodiscard]] std::string holder(const IniEntry& entry) const;
  void check_entry(const Ini& ini, const IniEntry& entry, const Keyword& keyword);
  void check_scope(const Ini& ini, const IniEntry& entry);
  void check_continuation(const IniEntry& entry);
  void report_unknown(const IniEntry& entry);

  Resolver& resolver_;
  const IniSection& section_;
  SectionKind kind_;
  Report& report_;
  std::set<std::string, std::less<>> guessed_;  // keywords that unknown ones may stand for
  std::set<const IniEntry*> misread_;           // settings whose faults are said already
};

}  // namespace plumb
