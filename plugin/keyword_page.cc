// Makes plumb.conf(5): copies the page's source from standard input to standard output, and puts the keyword tables in
// place of the line @KEYWORDS@, the types of their values in place of @VALUES@, and the files of the folder that is its
// argument in place of lines @EXAMPLE NAME@. It runs at build time, so it is of the pure layer alone.
#include <fstream>
#include <iostream>
#include <set>
#include <string>
#include <string_view>

#include "specs/language/keywords.h"

namespace {

using plumb::Keyword;
using plumb::SectionKind;
using plumb::Support;

constexpr SectionKind kKinds[] = {SectionKind::defaults, SectionKind::ip, SectionKind::container};

// As plain text of scdoc(5).
std::string plain(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (std::string_view("\\*_`<>[]|#~").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

// What stands between backquotes is bold.
std::string marked(std::string_view text) {
  std::string out;
  bool bold = false;
  while (!text.empty()) {
    const auto end = text.find('`');
    const auto part = plain(text.substr(0, end));
    out += bold && !part.empty() ? "*" + part + "*" : part;
    bold = !bold;
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  }
  return out;
}

std::string listed(std::string_view field, std::string_view between) {
  std::string out;
  for (const auto& word : plumb::table_words(field)) {
    if (!out.empty()) out += between;
    out += "*" + plain(word) + "*";
  }
  return out;
}

std::string default_of(const Keyword& keyword) {
  if (!keyword.default_value.empty()) return "*" + plain(keyword.default_value) + "*";
  if (!keyword.default_text.empty()) return marked(keyword.default_text);
  return keyword.required ? "none, it is required" : "none";
}

// The type's name without its explanation in parentheses, which print_values() has.
std::string type_of(const Keyword& keyword) {
  const auto text = to_string(keyword.type);
  return plain(text.substr(0, text.find(" (")));
}

void print_keyword(const Keyword& keyword) {
  std::string facts =
      keyword.candidates.empty() || keyword.type != plumb::ValueType::choice
          ? type_of(keyword) + (keyword.candidates.empty() ? "" : ": " + listed(keyword.candidates, ", "))
          : listed(keyword.candidates, " | ");
  facts += ". Default: " + default_of(keyword) + ".";
  if (!keyword.scopable) facts += " It has no scopes.";
  if (keyword.origin == plumb::Origin::plumb) facts += " Not in OpenSVC.";
  std::cout << "*" << plain(keyword.name) << "*";
  if (!keyword.aliases.empty()) std::cout << " (" << listed(keyword.aliases, ", ") << ")";
  std::cout << "\n\t" << facts << "\n\n\t" << marked(keyword.text) << "\n\n\tExample: *" << plain(keyword.name) << " = "
            << plain(keyword.example) << "*\n\n";
}

void print_section(SectionKind kind) {
  const std::string name(to_string(kind));
  std::cout << "# KEYWORDS OF [" << (kind == SectionKind::defaults ? name : name + "#N") << "]\n\n";
  std::string ignored;
  for (const auto& keyword : plumb::keywords_of(kind)) {
    if (keyword.support == Support::ignored)
      ignored += (ignored.empty() ? "*" : ", *") + plain(keyword.name) + "*";
    else
      print_keyword(keyword);
  }
  std::cout << "These keywords of OpenSVC have no effect, and draw a warning. *plumb keywords NAME* says what to use\n"
            << "instead: " << ignored << ".\n\n";
}

void print_values() {
  std::set<std::string_view> seen;
  for (const auto kind : kKinds)
    for (const auto& keyword : plumb::keywords_of(kind)) {
      const auto text = to_string(keyword.type);
      const auto explained = text.find(" (");
      if (explained == std::string_view::npos || !seen.insert(text).second) continue;
      const auto end = text.find(')', explained);
      std::cout << "*" << type_of(keyword) << "*\n\t" << plain(text.substr(explained + 2, end - explained - 2))
                << plain(text.substr(end + 1)) << "\n\n";
    }
}

bool print_example(const std::string& path) {
  std::ifstream file(path);
  if (!file.is_open()) {
    std::cerr << "keyword_page: cannot read " << path << "\n";
    return false;
  }
  std::cout << "```\n";
  for (std::string line; std::getline(file, line);) {
    for (const char c : line) std::cout << (c == '\\' ? "\\\\" : std::string(1, c));
    std::cout << "\n";
  }
  std::cout << "```\n";
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: keyword_page EXAMPLES <plumb.conf.5.scd.in\n";
    return 2;
  }
  constexpr std::string_view kExample = "@EXAMPLE ";
  for (std::string line; std::getline(std::cin, line);) {
    if (line == "@KEYWORDS@") {
      for (const auto kind : kKinds) print_section(kind);
    } else if (line == "@VALUES@") {
      print_values();
    } else if (line.starts_with(kExample) && line.ends_with('@')) {
      const auto name = line.substr(kExample.size(), line.size() - kExample.size() - 1);
      if (!print_example(std::string(argv[1]) + "/" + name)) return 1;
    } else {
      std::cout << line << "\n";
    }
  }
  return std::cout.flush() ? 0 : 1;
}
