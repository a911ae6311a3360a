#include "specs/language/keywords.h"

#include <algorithm>
#include <array>
#include <unordered_map>

#include "specs/language/keyword_tables.h"
#include "specs/language/spelling.h"
#include "specs/value/text.h"

namespace plumb {

namespace {

constexpr std::array<SectionKind, 3> kKinds = {SectionKind::defaults, SectionKind::ip, SectionKind::container};
constexpr std::size_t kWidth = 88;

// One kind's rows and where each spelling is. Made once: a load asks some hundreds of times.
struct Table {
  std::vector<Keyword> rows;
  std::unordered_map<std::string_view, std::size_t> index;

  Table(std::span<const Keyword> acted, std::span<const Keyword> ignored) : rows(acted.begin(), acted.end()) {
    rows.insert(rows.end(), ignored.begin(), ignored.end());
    for (std::size_t i = 0; i < rows.size(); ++i) {
      index.emplace(rows[i].name, i);
      for (auto rest = rows[i].aliases; !rest.empty();) {
        const auto end = rest.find(' ');
        index.emplace(rest.substr(0, end), i);
        rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
      }
    }
  }
};

const Table& table_of(SectionKind kind) {
  static const Table kDefaults(tables::defaults_rows(), tables::ignored_rows(SectionKind::defaults));
  static const Table kIp(tables::ip_rows(), tables::ignored_rows(SectionKind::ip));
  static const Table kContainer(tables::container_rows(), tables::ignored_rows(SectionKind::container));
  return kind == SectionKind::defaults ? kDefaults : kind == SectionKind::ip ? kIp : kContainer;
}

std::string header_of(SectionKind kind) {
  return kind == SectionKind::defaults ? "[DEFAULT]" : "[" + std::string(to_string(kind)) + "#N]";
}

std::string default_of(const Keyword& keyword) {
  if (!keyword.default_value.empty()) return std::string(keyword.default_value);
  if (!keyword.default_text.empty()) return std::string(keyword.default_text);
  return keyword.required ? "none, it is required" : "none";
}

std::string joined_with_commas(std::string_view field) {
  std::string out;
  for (const auto& word : table_words(field)) out += (out.empty() ? "" : ", ") + word;
  return out;
}

std::string wrapped(std::string_view text, std::string_view indent) {
  std::string out;
  std::string line;
  for (const auto& word : table_words(text)) {
    if (!line.empty() && indent.size() + line.size() + 1 + word.size() > kWidth) {
      out += std::string(indent) + line + "\n";
      line.clear();
    }
    line += (line.empty() ? "" : " ") + word;
  }
  return out + std::string(indent) + line + "\n";
}

std::string_view support_text(const Keyword& keyword) {
  switch (keyword.support) {
    case Support::yes: return "acted on";
    case Support::not_yet: return "not supported by this version of plumb: setting it is an error";
    case Support::ignored: return "has no effect: setting it is a warning";
  }
  return "";
}

std::string full_text(const Keyword& keyword) {
  std::string out = std::string(to_string(keyword.section)) + "." + std::string(keyword.name) + "\n";
  const auto line = [&](std::string_view name, const std::string& value) {
    out += "    " + std::string(name) + std::string(12 - name.size(), ' ') + value + "\n";
  };
  line("section", header_of(keyword.section));
  if (!keyword.aliases.empty()) line("or", joined_with_commas(keyword.aliases));
  line("type", std::string(to_string(keyword.type)));
  if (!keyword.candidates.empty()) line("one of", joined_with_commas(keyword.candidates));
  line("default", default_of(keyword));
  line("scopes", keyword.scopable ? std::string(keyword.name) + "@NODE, @nodes, @drpnodes, @encapnodes" : "none");
  line("from", keyword.origin == Origin::opensvc ? "OpenSVC" : "plumb");
  line("status", std::string(support_text(keyword)));
  out += "\n" + wrapped(keyword.text, "    ") + "\n    Example:\n\n        " + std::string(keyword.name) + " = " +
         std::string(keyword.example) + "\n";
  return out;
}

std::vector<std::string> reference_names() {
  std::vector<std::string> names;
  for (const auto kind : kKinds)
    for (const auto& name : keyword_names(kind)) {
      names.push_back(name);
      names.push_back(std::string(to_string(kind)) + "." + name);
    }
  return names;
}

// The section kind that a prefix such as "ip", "ip#0" or "DEFAULT" names, when it names one.
bool names_kind(std::string_view prefix, SectionKind kind) {
  return prefix.substr(0, prefix.find('#')) == to_string(kind);
}

}  // namespace

std::string_view to_string(SectionKind kind) {
  switch (kind) {
    case SectionKind::defaults: return "DEFAULT";
    case SectionKind::ip: return "ip";
    case SectionKind::container: return "container";
  }
  return "";
}

std::string_view to_string(ValueType type) {
  switch (type) {
    case ValueType::string: return "text";
    case ValueType::boolean: return "boolean (true, false, yes, no, on, off, 1, 0)";
    case ValueType::integer: return "integer";
    case ValueType::duration: return "duration (500ms, 10s, 2m, 1h30m; a bare number counts seconds)";
    case ValueType::choice: return "choice";
    case ValueType::words: return "list, split as a shell would";
    case ValueType::addresses: return "list of ip addresses or host names";
    case ValueType::address: return "ip address";
    case ValueType::netmask: return "netmask (24 or 255.255.255.0)";
    case ValueType::mac: return "Ethernet address (02:00:0a:00:03:03)";
    case ValueType::device: return "name of a network device";
    case ValueType::resource: return "id of a container resource (container#0), or a word";
    case ValueType::path: return "absolute path";
    case ValueType::nodes: return "list of node names";
    case ValueType::announce: return "count, and optionally one or two durations";
  }
  return "";
}

std::span<const Keyword> keywords_of(SectionKind kind) { return table_of(kind).rows; }

const Keyword* find_keyword(SectionKind kind, std::string_view name) {
  const auto& table = table_of(kind);
  const auto found = table.index.find(name);
  return found == table.index.end() ? nullptr : &table.rows[found->second];
}

std::vector<std::string> table_words(std::string_view field) {
  std::vector<std::string> words;
  while (!field.empty()) {
    const auto end = field.find(' ');
    if (end != 0) words.emplace_back(field.substr(0, end));
    field = end == std::string_view::npos ? std::string_view() : field.substr(end + 1);
  }
  return words;
}

std::vector<std::string> keyword_names(SectionKind kind) {
  std::vector<std::string> names;
  for (const auto& keyword : table_of(kind).rows) {
    names.emplace_back(keyword.name);
    for (auto& alias : table_words(keyword.aliases)) names.push_back(std::move(alias));
  }
  return names;
}

std::string keyword_reference() {
  std::string out;
  for (const auto kind : kKinds) {
    out += (out.empty() ? "" : "\n") + header_of(kind) + "\n";
    std::string ignored;
    for (const auto& keyword : table_of(kind).rows) {
      if (keyword.support == Support::ignored) {
        ignored += (ignored.empty() ? "" : ", ") + std::string(keyword.name);
        continue;
      }
      std::string name(keyword.name);
      for (const auto& alias : table_words(keyword.aliases)) name += ", " + alias;
      name.resize(std::max<std::size_t>(name.size(), 24), ' ');
      const bool refused = keyword.support == Support::not_yet;
      out += "  " + name + "  " + std::string(keyword.candidates.empty() ? to_string(keyword.type) : "one of ") +
             (keyword.candidates.empty() ? "" : joined_with_commas(keyword.candidates)) + "; " +
             (refused ? "not supported by this version" : "default: " + default_of(keyword)) + "\n";
    }
    out += "  Without effect:\n" + wrapped(ignored, "    ");
  }
  return out + "\n[env]\n  Names of your own, for references: {env.name}.\n";
}

Result<std::string> keyword_reference(std::string_view name) {
  const auto dot = name.find('.');
  const auto prefix = dot == std::string_view::npos ? std::string_view() : name.substr(0, dot);
  const auto wanted = dot == std::string_view::npos ? name : name.substr(dot + 1);
  std::string out;
  for (const auto kind : kKinds) {
    if (dot != std::string_view::npos && !names_kind(prefix, kind)) continue;
    const auto* keyword = find_keyword(kind, wanted);
    if (keyword != nullptr) out += (out.empty() ? "" : "\n") + full_text(*keyword);
  }
  if (!out.empty()) return out;
  std::string next;
  for (const auto& near : nearest_names(name, reference_names(), 3))
    next += (next.empty() ? "did you mean " : ", ") + near;
  return Err{ErrorKind::not_found, "there is no keyword \"" + std::string(name) + "\"",
             next.empty() ? "`plumb keywords` lists them all" : next + "?"};
}

Result<std::string> parse_choice(std::string_view text, std::string_view candidates) {
  const auto words = table_words(candidates);
  if (std::find(words.begin(), words.end(), text) != words.end()) return std::string(text);
  std::string list;
  for (const auto& word : words) list += (list.empty() ? "" : ", ") + word;
  return Err{ErrorKind::spec, in_quotes(text) + " is not one of " + list, did_you_mean(text, words)};
}

}  // namespace plumb
