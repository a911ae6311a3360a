#include "specs/language/section_reader.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>

#include "specs/language/spelling.h"
#include "specs/value/text.h"

namespace plumb {

namespace {

// Whether a setting says what holds without it, so that there is nothing to warn of.
bool is_default(const Keyword& keyword, std::string_view value) {
  if (value.empty() || value == keyword.default_value) return true;
  if (keyword.type != ValueType::boolean) return false;
  const auto have = parse_bool(value);
  const auto usual = parse_bool(keyword.default_value);
  return have && usual && *have == *usual;
}

std::string in_section(const IniSection& section) { return " in [" + section.name + "]"; }

bool is_group(std::string_view scope) { return scope == "nodes" || scope == "drpnodes" || scope == "encapnodes"; }

}  // namespace

SectionReader::SectionReader(Resolver& resolver, const IniSection& section, SectionKind kind, Report& report)
    : resolver_(resolver), section_(section), kind_(kind), report_(report) {
  for (const auto& entry : section_.entries) check_continuation(entry);
}

const Keyword& SectionReader::keyword(std::string_view name) const {
  const auto* found = find_keyword(kind_, name);
  if (found == nullptr) std::abort();  // a name the table lacks is a bug, never input
  return *found;
}

void SectionReader::each(std::string_view name, const std::function<void(const Resolved&, bool)>& visit) {
  const auto settings = resolver_.settings(section_, keyword(name));
  const auto* chosen = resolver_.choose(settings);
  for (const auto* entry : settings) {
    if (misread_.contains(entry)) continue;
    if (entry == chosen) {
      const auto value = resolver_.resolve(section_, *entry);
      if (value && !value->text.empty()) visit(*value, true);
    } else if (!entry->value.empty() && entry->value.find('{') == std::string::npos) {
      visit(Resolved{entry->value, entry, true}, false);
    }
  }
}

std::optional<Position> SectionReader::place(std::string_view name) const {
  const auto* entry = resolver_.choose(resolver_.settings(section_, keyword(name)));
  return entry == nullptr || entry->value.empty() ? std::nullopt : std::optional<Position>(entry->at(0));
}

std::optional<Position> SectionReader::emptied(std::string_view name) {
  const auto* entry = resolver_.choose(resolver_.settings(section_, keyword(name)));
  if (entry == nullptr || entry->value.empty() || misread_.contains(entry)) return std::nullopt;
  const auto value = resolver_.resolve(section_, *entry);
  return value && value->text.empty() ? std::optional<Position>(entry->at(0)) : std::nullopt;
}

std::string SectionReader::scopes(std::string_view name) const {
  std::string out;
  for (const auto* entry : resolver_.settings(section_, keyword(name)))
    if (!entry->scope.empty()) out += (out.empty() ? "@" : ", @") + entry->scope;
  return out;
}

bool SectionReader::may_be_mistyped(std::string_view name) const { return section_.damaged || guessed_.contains(name); }

std::string SectionReader::holder(const IniEntry& entry) const {
  const bool own =
      std::any_of(section_.entries.begin(), section_.entries.end(), [&](const auto& e) { return &e == &entry; });
  return own ? in_section(section_) : " in [DEFAULT]";
}

void SectionReader::fault(std::string_view name, const Resolved& value, const Position& where, const Error& error) {
  report_.error(where, std::string(name) + holder(*value.entry) + ": " + error.what, error.next);
}

std::vector<Placed<std::string>> SectionReader::split(std::string_view name, const Resolved& value) {
  auto words = split_words(value.text);
  if (words.unterminated) {
    const bool backslash = value.text[*words.unterminated] == '\\';
    report_.error(value.at(*words.unterminated),
                  std::string(name) + holder(*value.entry) +
                      (backslash ? ": nothing follows the backslash" : ": this quote is never closed"),
                  "lists are split as a shell would; to mean the character itself, put a backslash before it");
    return {};
  }
  std::vector<Placed<std::string>> out;
  for (auto& word : words.words) out.push_back({std::move(word.text), value.at(word.offset)});
  return out;
}

std::optional<Placed<std::string>> SectionReader::text(std::string_view name) {
  return single(name, [](std::string_view text) { return Result<std::string>(std::string(text)); });
}

bool SectionReader::boolean(std::string_view name) {
  const auto value = single(name, parse_bool);
  return value ? value->value : parse_bool(keyword(name).default_value).value_or(false);
}

std::optional<Placed<unsigned>> SectionReader::integer(std::string_view name, unsigned least, unsigned most) {
  return single(name, [&](std::string_view text) { return parse_integer(text, least, most); });
}

std::optional<std::chrono::milliseconds> SectionReader::duration(std::string_view name, bool zero) {
  const auto value = single(name, [&](std::string_view text) -> Result<std::chrono::milliseconds> {
    auto parsed = parse_duration(text);
    if (parsed && parsed->count() == 0 && !zero)
      return Err{ErrorKind::spec, "a timeout of nothing can only fail", "leave the keyword out for the default"};
    return parsed;
  });
  return value ? std::optional(value->value) : std::nullopt;
}

std::string SectionReader::choice(std::string_view name) {
  const auto& row = keyword(name);
  const auto value = single(name, [&](std::string_view text) { return parse_choice(text, row.candidates); });
  return value ? value->value : std::string(row.default_value);
}

std::vector<Placed<std::string>> SectionReader::words(std::string_view name) {
  return list(name, [](std::string_view word) { return Result<std::string>(std::string(word)); });
}

void SectionReader::word_lists(std::string_view name,
                               const std::function<void(const std::vector<Placed<std::string>>&, bool)>& visit) {
  each(name, [&](const Resolved& value, bool here) { visit(split(name, value), here); });
}

void SectionReader::check_keywords(const Ini& ini) {
  std::map<std::pair<std::string_view, std::string>, const IniEntry*> seen;
  for (const auto& entry : section_.entries) {
    const auto* row = find_keyword(kind_, entry.key);
    if (row == nullptr && kind_ == SectionKind::defaults) {
      // For every resource that has such a keyword.
      row = find_keyword(SectionKind::ip, entry.key);
      if (row == nullptr) row = find_keyword(SectionKind::container, entry.key);
    }
    if (row == nullptr) {
      report_unknown(entry);
      continue;
    }
    const auto [first, fresh] = seen.try_emplace({row->name, entry.scope}, &entry);
    if (!fresh)
      report_.error(entry.where,
                    in_quotes(entry.key) + " and " + in_quotes(first->second->key) + " of line " +
                        std::to_string(first->second->where.line) + " are the same keyword" + in_section(section_),
                    "only one can hold");
    check_entry(ini, entry, *row);
  }
}

void SectionReader::check_entry(const Ini& ini, const IniEntry& entry, const Keyword& row) {
  if (!entry.scope.empty()) {
    if (!row.scopable)
      report_.error(entry.scope_where, in_quotes(row.name) + in_section(section_) + " cannot have a scope",
                    "it is what the scopes of other keywords are found with");
    else
      check_scope(ini, entry);
  }
  const std::string more =
      "`plumb keywords " + std::string(to_string(row.section)) + "." + std::string(row.name) + "` says more";
  if (row.support == Support::ignored && !is_default(row, entry.value))
    report_.warning(
        entry.where,
        "keyword " + in_quotes(entry.key) + in_section(section_) + " has no effect in this version of plumb", more);
  if (row.support == Support::not_yet && !is_default(row, entry.value))
    report_.error(
        entry.where,
        "keyword " + in_quotes(entry.key) + in_section(section_) + " is not supported by this version of plumb", more);
}

void SectionReader::check_scope(const Ini& ini, const IniEntry& entry) {
  if (is_group(entry.scope)) return;
  // Without a `nodes` keyword any name may be a node's.
  const auto* defaults = ini.section(to_string(SectionKind::defaults));
  const bool listed = defaults != nullptr && std::any_of(defaults->entries.begin(), defaults->entries.end(),
                                                         [](const auto& e) { return e.key == "nodes"; });
  if (!listed || resolver_.lists_node(entry.scope)) return;
  const std::vector<std::string> groups = {"nodes", "drpnodes", "encapnodes"};
  const auto hint = did_you_mean(entry.scope, groups);
  report_.warning(entry.scope_where,
                  "scope @" + entry.scope + " of " + in_quotes(entry.key) + in_section(section_) +
                      " names none of the service's nodes, so this setting never holds",
                  hint.empty() ? "a scope is a node's name, nodes, drpnodes or encapnodes" : hint);
}

// A keyword on an indented line is part of the value before it. Where such a value could not be meant, it is said.
void SectionReader::check_continuation(const IniEntry& entry) {
  for (const auto& piece : entry.pieces) {
    const auto line =
        std::string_view(entry.value).substr(piece.offset, entry.value.find('\n', piece.offset) - piece.offset);
    const auto type = line.substr(0, line.find_first_of("#]"));
    const bool header = type == "[ip" || type == "[container" || type == "[DEFAULT" || type == "[env";
    if (piece.line == entry.where.line || !header || !line.ends_with(']')) continue;
    misread_.insert(&entry);
    report_.error(entry.at(piece.offset),
                  "this indented section header continues the value of " + in_quotes(entry.key) + " of line " +
                      std::to_string(entry.where.line),
                  "remove the indentation");
  }
  static constexpr std::array<std::string_view, 5> kFree = {"environment", "command", "run_command", "entrypoint",
                                                            "sysctl"};
  const bool free = std::find(kFree.begin(), kFree.end(), entry.key) != kFree.end();
  for (const auto& piece : entry.pieces) {
    if (piece.line == entry.where.line || piece.offset >= entry.value.size()) continue;
    const auto line =
        std::string_view(entry.value).substr(piece.offset, entry.value.find('\n', piece.offset) - piece.offset);
    const auto word = line.substr(0, line.find_first_of(" \t=:@"));
    const auto rest = line.substr(word.size());
    const auto sign = rest.find_first_not_of(" \t");
    if (sign == std::string_view::npos || (rest[sign] != '=' && rest[sign] != '@')) continue;
    if (find_keyword(kind_, word) == nullptr) continue;
    if (free) {
      // As a keyword is written, and no variable and no argument.
      if (sign > 0 && rest[sign] == '=')
        report_.warning(entry.at(piece.offset),
                        "this indented line continues the value of " + in_quotes(entry.key) + " of line " +
                            std::to_string(entry.where.line) + ", and looks like a keyword of its own",
                        "if it is one, remove the indentation");
      continue;
    }
    misread_.insert(&entry);
    report_.error(entry.at(piece.offset),
                  "this indented line continues the value of " + in_quotes(entry.key) + " of line " +
                      std::to_string(entry.where.line),
                  "for a keyword of its own, remove the indentation");
  }
}

void SectionReader::report_unknown(const IniEntry& entry) {
  const auto own = keyword_names(kind_);
  std::string hint = did_you_mean(entry.key, own);
  for (const auto& near : nearest_names(entry.key, own, 3))
    guessed_.insert(std::string(find_keyword(kind_, near)->name));
  for (const auto kind : {SectionKind::defaults, SectionKind::ip, SectionKind::container}) {
    const std::string section = "[" + std::string(to_string(kind)) + (kind == SectionKind::defaults ? "]" : "#N]");
    if (find_keyword(kind, entry.key) != nullptr) hint = "it is a keyword of " + section;
    // [DEFAULT] may hold the keywords of any resource.
    if (hint.empty() && kind_ == SectionKind::defaults) hint = did_you_mean(entry.key, keyword_names(kind));
  }
  if (hint.empty()) hint = "`plumb keywords` lists them all";
  report_.error(entry.where, "unknown keyword " + in_quotes(entry.key) + in_section(section_), hint);
}

}  // namespace plumb
