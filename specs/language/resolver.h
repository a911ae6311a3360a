// Resolver: which of a keyword's settings holds on a node, and its text with the references replaced.
//
// Threads: one load's own. Privilege: none.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "specs/language/ini.h"
#include "specs/language/keywords.h"
#include "specs/language/load_options.h"
#include "specs/language/report.h"

namespace plumb {

// The text of a setting, and where it stands.
struct Resolved {
  std::string text;
  const IniEntry* entry = nullptr;
  bool exact = true;  // no reference was replaced: offsets are those of the entry's value

  // The place of a byte of the text; of the value's start when a reference was replaced.
  [[nodiscard]] Position at(std::size_t offset) const { return entry->at(exact ? offset : 0); }
};

class Resolver {
 public:
  // All four must outlive the resolver.
  Resolver(const Ini& ini, const LoadOptions& options, Report& report);

  // The groups of nodes, which decide what @nodes, @drpnodes and @encapnodes mean. Until they are set only unscoped
  // settings hold.
  void set_groups(std::vector<std::string> nodes, std::vector<std::string> drpnodes,
                  std::vector<std::string> encapnodes);
  [[nodiscard]] bool lists_node(std::string_view name) const;
  // What is read from now on is for a container with one of these names (lower case), where @NAME and @encapnodes win
  // over the node's own scopes. No name: for the node again.
  void as_guest(std::vector<std::string> names) { guests_ = std::move(names); }

  // The settings of a keyword under its name and aliases in a section, or, when the section has none, those that it
  // inherits from [DEFAULT].
  [[nodiscard]] std::vector<const IniEntry*> settings(const IniSection& section, const Keyword& keyword) const;
  // The one of them that holds on the node; nullptr when none does.
  [[nodiscard]] const IniEntry* choose(const std::vector<const IniEntry*>& settings) const;
  // The text with references replaced; nothing when one is at fault, which is reported.
  [[nodiscard]] std::optional<Resolved> resolve(const IniSection& section, const IniEntry& entry);

  [[nodiscard]] const std::string& node() const { return options_.node; }

 private:
  struct Reference;

  std::optional<std::string> expand(const IniSection& section, const IniEntry& entry, std::size_t depth);
  std::optional<std::string> value_of(const IniSection& section, const IniEntry& at, std::size_t offset,
                                      std::string_view reference, std::size_t depth);
  std::optional<std::string> well_known(const IniSection& section, std::string_view name) const;
  std::optional<std::string> setting_text(const IniSection& section, std::string_view name, std::size_t depth,
                                          bool& found);
  void unknown(const IniSection& section, const IniEntry& entry, std::size_t offset, std::string_view name);

  const Ini& ini_;
  const LoadOptions& options_;
  Report& report_;
  std::vector<std::string> nodes_, drpnodes_, encapnodes_;
  std::vector<std::string> guests_;
  struct Known {
    bool under_way = true;
    std::optional<std::string> text;
  };
  // A setting of [DEFAULT] means something of its own in each section that inherits it.
  std::map<std::pair<const IniSection*, const IniEntry*>, Known> known_;
};

}  // namespace plumb
