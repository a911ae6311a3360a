#include "specs/language/resolver.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "specs/language/spelling.h"
#include "specs/value/scalar.h"
#include "specs/value/text.h"

namespace plumb {

namespace {

constexpr std::size_t kDeepest = 32;             // references inside references
constexpr std::size_t kLongestText = 64 * 1024;  // bytes of a value with its references replaced

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_reference_byte(char c) {
  return is_letter(c) || (c >= '0' && c <= '9') || std::string_view("_.#:-[]").find(c) != std::string_view::npos;
}

// The size of the reference "{...}" at `at`, or 0. "${...}" is for shells, and a brace before anything but a letter, _
// or # is text (JSON, templates).
std::size_t reference_size(std::string_view text, std::size_t at) {
  if (text[at] != '{' || (at > 0 && text[at - 1] == '$')) return 0;
  std::size_t end = at + 1;
  while (end < text.size() && is_reference_byte(text[end])) ++end;
  if (end >= text.size() || text[end] != '}' || end == at + 1) return 0;
  return is_letter(text[at + 1]) || text[at + 1] == '_' || text[at + 1] == '#' ? end + 1 - at : 0;
}

bool contains(const std::vector<std::string>& nodes, std::string_view name) {
  const std::string wanted = lower_case(name);
  return std::any_of(nodes.begin(), nodes.end(), [&](const auto& node) { return lower_case(node) == wanted; });
}

std::string upper_case(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return out;
}

std::optional<SectionKind> kind_of(std::string_view section) {
  for (const auto kind : {SectionKind::defaults, SectionKind::ip, SectionKind::container})
    if (section.substr(0, section.find('#')) == to_string(kind)) return kind;
  return std::nullopt;
}

}  // namespace

// "{#env.list}" or "{upper:env.names[2]}", taken apart.
struct Resolver::Reference {
  std::string_view name;
  std::string_view modifier;         // before the colon
  bool count = false;                // a leading #
  std::optional<std::size_t> index;  // in brackets
  bool good = true;

  explicit Reference(std::string_view text) : name(text) {
    if (const auto colon = name.find(':'); colon != std::string_view::npos) {
      modifier = name.substr(0, colon);
      name = name.substr(colon + 1);
    }
    if (name.starts_with('#')) {
      count = true;
      name.remove_prefix(1);
    }
    const auto open = name.find('[');
    if (open == std::string_view::npos) return;
    const auto digits = name.substr(open + 1);
    std::size_t value = 0;
    const auto [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    good = ec == std::errc{} && std::string_view(end, digits.data() + digits.size()) == "]";
    index = value;
    name = name.substr(0, open);
  }
};

Resolver::Resolver(const Ini& ini, const LoadOptions& options, Report& report)
    : ini_(ini), options_(options), report_(report) {}

void Resolver::set_groups(std::vector<std::string> nodes, std::vector<std::string> drpnodes,
                          std::vector<std::string> encapnodes) {
  nodes_ = std::move(nodes);
  drpnodes_ = std::move(drpnodes);
  encapnodes_ = std::move(encapnodes);
  // What was read while the groups were unknown may have another setting now.
  known_.clear();
}

bool Resolver::lists_node(std::string_view name) const {
  return contains(nodes_, name) || contains(drpnodes_, name) || contains(encapnodes_, name);
}

std::vector<const IniEntry*> Resolver::settings(const IniSection& section, const Keyword& keyword) const {
  const auto of = [&](const IniSection& from) {
    std::vector<const IniEntry*> out;
    for (const auto& entry : from.entries)
      if (entry.key == keyword.name ||
          (!keyword.aliases.empty() && find_keyword(keyword.section, entry.key) == &keyword))
        out.push_back(&entry);
    return out;
  };
  auto own = of(section);
  if (!own.empty() || keyword.section == SectionKind::defaults) return own;
  // A name that [DEFAULT] has for itself is the service's own setting, never a resource's.
  const auto* defaults = ini_.section(to_string(SectionKind::defaults));
  if (defaults == nullptr || find_keyword(SectionKind::defaults, keyword.name) != nullptr) return own;
  auto inherited = of(*defaults);
  // What files of OpenSVC's first agents have there, and 2.1 keeps, says nothing about addresses.
  std::erase_if(inherited, [](const auto* entry) { return entry->key == "mode" && entry->value == "hosted"; });
  return inherited;
}

const IniEntry* Resolver::choose(const std::vector<const IniEntry*>& settings) const {
  const auto first = [&](auto applies) {
    const auto found = std::find_if(settings.begin(), settings.end(), [&](const auto* e) { return applies(e->scope); });
    return found == settings.end() ? nullptr : *found;
  };
  const auto group = [&](std::string_view name, const std::vector<std::string>& nodes) {
    return contains(nodes, node()) ? first([&](const auto& scope) { return scope == name; }) : nullptr;
  };
  if (!guests_.empty()) {
    const auto named = [&](const auto& scope) { return contains(guests_, lower_case(scope)); };
    if (const auto* entry = first(named)) return entry;
    if (const auto* entry = first([](const auto& scope) { return scope == "encapnodes"; })) return entry;
  }
  const std::string here = lower_case(node());
  // A node that is called like a group is still the group: "nodes" as a host name would make specs unreadable.
  const auto exact = [&](const std::string& scope) {
    return scope != "nodes" && scope != "drpnodes" && scope != "encapnodes" && lower_case(scope) == here;
  };
  if (const auto* entry = first(exact)) return entry;
  if (const auto* entry = group("nodes", nodes_)) return entry;
  if (const auto* entry = group("drpnodes", drpnodes_)) return entry;
  if (const auto* entry = group("encapnodes", encapnodes_)) return entry;
  return first([](const auto& scope) { return scope.empty(); });
}

std::optional<Resolved> Resolver::resolve(const IniSection& section, const IniEntry& entry) {
  auto text = expand(section, entry, 0);
  if (!text) return std::nullopt;
  const bool exact = *text == entry.value;
  return Resolved{std::move(*text), &entry, exact};
}

std::optional<std::string> Resolver::expand(const IniSection& section, const IniEntry& entry, std::size_t depth) {
  const auto [found, fresh] = known_.try_emplace(std::pair(&section, &entry));
  if (!fresh && found->second.under_way) {
    report_.error(entry.at(0),
                  "the references of " + in_quotes(entry.key) + " in [" + section.name + "] lead back to itself");
    return std::nullopt;
  }
  if (!fresh) return found->second.text;
  std::string out;
  bool good = depth <= kDeepest;
  if (!good) report_.error(entry.at(0), "references nested more than " + std::to_string(kDeepest) + " deep");
  for (std::size_t at = 0; depth <= kDeepest && at < entry.value.size();) {
    const std::size_t size = reference_size(entry.value, at);
    if (size == 0) {
      out += entry.value[at++];
      continue;
    }
    const auto inside = std::string_view(entry.value).substr(at + 1, size - 2);
    const auto value = value_of(section, entry, at, inside, depth);
    good = good && value.has_value();
    out += value.value_or("");
    at += size;
    if (out.size() <= kLongestText) continue;
    report_.error(entry.at(0), "the value has more than " + std::to_string(kLongestText) +
                                   " bytes once its references are replaced");
    good = false;
    break;
  }
  auto& known = known_[std::pair(&section, &entry)];
  known.under_way = false;
  if (good) known.text = std::move(out);
  return known.text;
}

std::optional<std::string> Resolver::value_of(const IniSection& section, const IniEntry& at, std::size_t offset,
                                              std::string_view reference, std::size_t depth) {
  const Reference ref(reference);
  const Position where = at.at(offset);
  const auto refuse = [&](std::string message, std::string hint = {}) -> std::optional<std::string> {
    report_.error(where, "reference {" + std::string(reference) + "}: " + std::move(message), std::move(hint));
    return std::nullopt;
  };
  if (!ref.good) return refuse("the index is not a number in brackets", "write it as {name[0]}");
  if (!ref.modifier.empty() && ref.modifier != "upper" && ref.modifier != "lower")
    return refuse("unknown modifier " + in_quotes(ref.modifier), "the modifiers are upper: and lower:");
  bool found = false;
  auto text = setting_text(section, ref.name, depth, found);
  if (!found) text = well_known(section, ref.name);
  if (!text && !found) unknown(section, at, offset, ref.name);
  if (!text) return std::nullopt;
  if (ref.count || ref.index) {
    const auto words = split_words(*text);
    if (words.unterminated) return refuse("its value has a quote without a partner");
    if (ref.index && *ref.index >= words.words.size())
      return refuse("there are only " + std::to_string(words.words.size()) + " words, counted from 0");
    text = ref.index ? words.words[*ref.index].text : std::to_string(words.words.size());
  }
  if (ref.modifier == "upper") return upper_case(*text);
  if (ref.modifier == "lower") return lower_case(*text);
  return text;
}

std::optional<std::string> Resolver::setting_text(const IniSection& section, std::string_view name, std::size_t depth,
                                                  bool& found) {
  const auto dot = name.find('.');
  // In the sense of section `in`.
  const auto look_in = [&](const IniSection& from, std::string_view key,
                           const IniSection& in) -> std::optional<std::string> {
    std::vector<const IniEntry*> entries;
    const auto kind = kind_of(from.name);
    const auto* keyword = kind ? find_keyword(*kind, key) : nullptr;
    if (keyword != nullptr) {
      entries = settings(from, *keyword);
    } else {
      for (const auto& entry : from.entries)
        if (entry.key == key) entries.push_back(&entry);
    }
    if (const auto* entry = choose(entries)) {
      found = true;
      return expand(in, *entry, depth + 1);
    }
    if (keyword == nullptr || (keyword->default_value.empty() && key != "name")) return std::nullopt;
    if (key == "name" && kind != SectionKind::container) return std::nullopt;
    found = true;
    if (key != "name") return std::string(keyword->default_value);
    return options_.service + ".container." + from.name.substr(from.name.find('#') + 1);
  };
  if (dot != std::string_view::npos) {
    const auto* other = ini_.section(name.substr(0, dot));
    return other == nullptr ? std::nullopt : look_in(*other, name.substr(dot + 1), *other);
  }
  const auto has = [&](const IniSection& from) {
    return std::any_of(from.entries.begin(), from.entries.end(), [&](const auto& e) { return e.key == name; });
  };
  if (name == "name") return std::nullopt;  // the service's, also where the section has one: {container#0.name}
  if (has(section)) return look_in(section, name, section);
  const auto* defaults = ini_.section(to_string(SectionKind::defaults));
  return defaults != nullptr && has(*defaults) ? look_in(*defaults, name, section) : std::nullopt;
}

std::optional<std::string> Resolver::well_known(const IniSection& section, std::string_view name) const {
  const std::string domain = options_.name_space + ".svc." + options_.cluster;
  if (name == "nodename") return lower_case(options_.node);
  if (name == "short_nodename") return lower_case(options_.node.substr(0, options_.node.find('.')));
  if (name == "svcname" || name == "name") return options_.service;
  if (name == "namespace") return options_.name_space;
  if (name == "clustername") return options_.cluster;
  if (name == "domain") return domain;
  if (name == "fqdn") return options_.service + "." + domain;
  if (name == "svcpath")
    return options_.name_space == "root" ? options_.service : options_.name_space + "/svc/" + options_.service;
  if (name == "rid") return section.name;
  if (name == "rindex" && section.name.find('#') != std::string::npos)
    return section.name.substr(section.name.find('#') + 1);
  return std::nullopt;
}

void Resolver::unknown(const IniSection& section, const IniEntry& entry, std::size_t offset, std::string_view name) {
  std::vector<std::string> known = {"nodename", "short_nodename", "svcname", "name", "namespace", "clustername",
                                    "svcpath",  "fqdn",           "domain",  "rid",  "rindex"};
  for (const auto& other : ini_.sections)
    for (const auto& e : other.entries) {
      known.push_back(other.name + "." + e.key);
      if (&other == &section || other.name == to_string(SectionKind::defaults)) known.push_back(e.key);
    }
  static constexpr std::array<std::string_view, 15> kCluster = {
      "clusterid", "clusternodes", "clusterdrpnodes", "dns", "dnsnodes", "dnsuxsock",   "dnsuxsockd", "collector_api",
      "id",        "svcmgr",       "nodemgr",         "etc", "var",      "private_var", "initd"};
  if (std::find(kCluster.begin(), kCluster.end(), name) != kCluster.end())
    return report_.error(entry.at(offset),
                         "reference {" + std::string(name) + "}: it is OpenSVC's own, and plumb has nothing like it",
                         "write the value itself, or give it a name in [env]");
  const bool elsewhere = std::find(known.begin(), known.end(), name) != known.end();
  std::string hint = elsewhere ? "it is set for other nodes only" : did_you_mean(name, known);
  if (hint.empty()) hint = "for plain text, put a space or a quote behind the {, or a $ before it";
  const auto dot = name.find('.');
  std::string why = "no such name";
  if (dot != std::string_view::npos)
    why = ini_.section(name.substr(0, dot)) == nullptr
              ? "there is no section [" + std::string(name.substr(0, dot)) + "]"
              : "[" + std::string(name.substr(0, dot)) + "] has no " + in_quotes(name.substr(dot + 1)) + " on node " +
                    in_quotes(node());
  report_.error(entry.at(offset), "reference {" + std::string(name) + "}: " + why, hint);
}

}  // namespace plumb
