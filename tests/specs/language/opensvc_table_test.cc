// specs/OPENSVC.md against the keyword tables, both ways: what it lists is known, what is known is listed, and what it
// says plumb does with a keyword or a section is what plumb does.
#include <doctest/doctest.h>

#include <fstream>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "specs/language/keywords.h"
#include "specs/service/loader.h"

using namespace plumb;

namespace {

using Row = std::vector<std::string>;

std::string trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(' ');
  if (first == std::string_view::npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(' ') + 1 - first));
}

// The cells of "| a | b |".
Row cells(const std::string& line) {
  Row out;
  for (std::size_t at = 1; at < line.size();) {
    const auto end = line.find('|', at);
    if (end == std::string::npos) break;
    out.push_back(trimmed(std::string_view(line).substr(at, end - at)));
    at = end + 1;
  }
  return out;
}

// The tables by the heading they stand under, without their own first two lines.
std::map<std::string, std::vector<Row>> read_tables() {
  std::ifstream file(PLUMB_OPENSVC_TABLE);
  REQUIRE_MESSAGE(file.is_open(), "cannot read ", PLUMB_OPENSVC_TABLE);
  std::map<std::string, std::vector<Row>> out;
  std::string heading;
  bool inside = false;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("## ")) heading = line.substr(3);
    if (line.starts_with("|---")) inside = true;
    if (!line.starts_with("|")) inside = false;
    if (inside && !line.starts_with("|---")) out[heading].push_back(cells(line));
  }
  return out;
}

// The heading is a value: what is returned refers to no argument, which g++ 14 could not know.
const std::vector<Row>& table(std::string_view heading) {
  static const auto kTables = read_tables();
  const auto found = kTables.find(std::string(heading));
  REQUIRE_MESSAGE(found != kTables.end(), "no table under ", std::string(heading));
  return found->second;
}

// What stands between backquotes.
std::vector<std::string> quoted_names(const std::string& cell) {
  std::vector<std::string> out;
  for (std::size_t at = cell.find('`'); at != std::string::npos; at = cell.find('`', at)) {
    const auto end = cell.find('`', at + 1);
    REQUIRE_MESSAGE(end != std::string::npos, cell);
    out.push_back(cell.substr(at + 1, end - at - 1));
    at = end + 1;
  }
  return out;
}

// The word in front of a cell: "yes" of "**yes**; what differs".
std::string verdict(const std::string& cell) {
  const auto end = cell.find("**", 2);
  return cell.starts_with("**") && end != std::string::npos ? cell.substr(2, end - 2) : "";
}

std::string word(Support support) {
  return support == Support::yes ? "yes" : support == Support::ignored ? "warning" : "refused";
}

std::string heading_of(SectionKind kind) {
  return kind == SectionKind::defaults ? "[DEFAULT]" : "[" + std::string(to_string(kind)) + "#N]";
}

// In [DEFAULT] stands also what the resources inherit.
const Keyword* find_in(SectionKind kind, const std::string& name) {
  const auto* found = find_keyword(kind, name);
  if (found == nullptr && kind == SectionKind::defaults) found = find_keyword(SectionKind::ip, name);
  if (found == nullptr && kind == SectionKind::defaults) found = find_keyword(SectionKind::container, name);
  return found;
}

constexpr SectionKind kKinds[] = {SectionKind::defaults, SectionKind::ip, SectionKind::container};

}  // namespace

TEST_CASE("every keyword that the table of OpenSVC's lists is known, once, and treated as the table says") {
  for (const auto kind : kKinds) {
    std::set<std::string> listed;
    for (const auto& row : table(heading_of(kind))) {
      REQUIRE_MESSAGE(row.size() == 3, row.front());
      CHECK_MESSAGE(!row[1].empty(), row.front());
      const auto names = quoted_names(row.front());
      CHECK_MESSAGE(!names.empty(), row.front());
      for (const auto& name : names) {
        CAPTURE(heading_of(kind));
        CAPTURE(name);
        CHECK(listed.insert(name).second);
        const auto* keyword = find_in(kind, name);
        REQUIRE(keyword != nullptr);
        CHECK(keyword->origin == Origin::opensvc);
        CHECK(verdict(row[2]) == word(keyword->support));
      }
    }
  }
}

TEST_CASE("every keyword and alias of OpenSVC's is in its table, and every one of plumb's own in theirs") {
  std::map<std::string, std::string> own;
  for (const auto& row : table("What plumb adds")) own.emplace(quoted_names(row.at(0)).at(0), row.at(1));
  std::size_t count = 0;
  for (const auto kind : kKinds) {
    std::set<std::string> listed;
    for (const auto& row : table(heading_of(kind)))
      for (auto& name : quoted_names(row.front())) listed.insert(std::move(name));
    for (const auto& keyword : keywords_of(kind)) {
      CAPTURE(heading_of(kind));
      CAPTURE(keyword.name);
      if (keyword.origin == Origin::plumb) {
        ++count;
        CHECK(own[std::string(keyword.name)] == "`" + heading_of(kind) + "`");
        continue;
      }
      CHECK(listed.contains(std::string(keyword.name)));
      for (const auto& alias : table_words(keyword.aliases)) CHECK_MESSAGE(listed.contains(alias), alias);
    }
  }
  CHECK(own.size() == count);
}

TEST_CASE("every section that the table lists is treated as the table says") {
  for (const auto& row : table("Sections")) {
    REQUIRE(row.size() == 3);
    for (auto section : quoted_names(row.front())) {
      CAPTURE(section);
      if (const auto hash = section.find("#N"); hash != std::string::npos) section.replace(hash, 2, "#7");
      const bool ours =
          section == "[DEFAULT]" || section == "[env]" || section == "[ip#7]" || section == "[container#7]";
      CHECK((verdict(row[2]) == "yes") == ours);
      if (ours) continue;
      for (const bool ignore : {false, true}) {
        LoadOptions options;
        options.file = "test.conf";
        options.service = "svc1";
        options.node = "n1";
        const auto loaded = load_service("[DEFAULT]\nforeign = " + std::string(ignore ? "ignore" : "refuse") +
                                             "\n[container#0]\nimage = nginx\n" + section + "\nx = y\n",
                                         options);
        CHECK(loaded.service.has_value() == (ignore || verdict(row[2]) == "warning"));
        CHECK(loaded.diagnostics.size() == 1);
        CHECK(render(loaded.diagnostics, false).find("unknown section") == std::string::npos);
      }
    }
  }
}
