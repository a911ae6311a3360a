// README.md and the manuals: each command is known to the program, and run by a test or exempt from that; each manual
// that is named exists.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "plugin/command/command_line.h"
#include "tests/pages/page.h"

using namespace plumb;

namespace {

const std::string kSource = PLUMB_SOURCE_DIR;

std::string text_of_file(const std::filesystem::path& path) {
  std::ifstream file(path);
  REQUIRE_MESSAGE(file.is_open(), path);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::string> words_of(const std::string& text) {
  std::istringstream stream(text);
  return {std::istream_iterator<std::string>(stream), {}};
}

Parsed parse(std::vector<std::string> words) {
  std::vector<char*> argv;
  for (auto& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  return parse_command_line(static_cast<int>(words.size()), argv.data());
}

// The words of the program's own command in a line of shell: from `plumb` to what ends it. Empty: there is none.
std::vector<std::string> own_words(const std::string& text) {
  std::vector<std::string> out;
  for (auto word : words_of(text)) {
    const bool assigns = out.empty() && word.find('=') != std::string::npos;
    if (assigns) continue;
    if (out.empty() && word != "plumb") return {};
    if (word == "&" || word == "|" || word.starts_with('#')) break;
    const bool last = word.ends_with(';');
    if (last) word.pop_back();
    out.push_back(word);
    if (last) break;
  }
  return out;
}

// What `plumb COMMAND --help` prints.
std::string help_of(const std::string& command) {
  std::ostringstream text;
  auto* const before = std::cout.rdbuf(text.rdbuf());
  const auto parsed = parse({"plumb", command, "--help"});
  std::cout.rdbuf(before);
  CHECK(parsed.exit_code == 0);
  return text.str();
}

// What the pattern finds: the whole, and what stands in its parentheses.
std::vector<std::vector<std::string>> matches(const std::string& text, const std::regex& pattern) {
  std::vector<std::vector<std::string>> out;
  for (std::sregex_iterator at(text.begin(), text.end(), pattern); at != std::sregex_iterator(); ++at)
    out.emplace_back(at->begin(), at->end());
  return out;
}

bool is_run(const pages::Block& block) {
  const auto& runs = pages::runs();
  return std::any_of(runs.begin(), runs.end(),
                     [&](const auto& run) { return run.page == block.page && run.section == block.section; });
}

}  // namespace

TEST_CASE("each command of README and manuals is run by a test, or exempt with a reason") {
  std::set<std::string_view> used;
  std::size_t commands = 0;
  for (const auto& page : pages::names())
    for (const auto& block : pages::blocks_of(page))
      for (const auto& command : block.commands) {
        // A file that a manual shows begins with its first section.
        if (block.commands.front().text.starts_with('[')) break;
        ++commands;
        const auto* row = pages::exempt(command);
        if (row != nullptr) used.insert(row->begin);
        CHECK_MESSAGE((row != nullptr || is_run(block)), page, ", ", block.section, ": ", command.text);
      }
  CHECK(commands > 80);
  CHECK(pages::exempt({"", "plumb start svc1", {}}) == nullptr);
  CHECK(pages::exempt({"n1", "docker network rm lan", {}}) == nullptr);
  CHECK_FALSE(is_run({"plumb.8", "COMMANDS", {}}));
  for (const auto& row : pages::exempts()) CHECK_MESSAGE(used.contains(row.begin), row.begin, ": no page has it");
}

TEST_CASE("each section that a test is said to run has commands") {
  for (const auto& run : pages::runs()) {
    const auto blocks = pages::blocks_of(run.page);
    CHECK_MESSAGE(std::any_of(blocks.begin(), blocks.end(),
                              [&](const auto& b) { return b.section == run.section && !b.commands.empty(); }),
                  run.page, ", ", run.section);
  }
}

TEST_CASE("each plumb command of README and manuals is one that the program takes") {
  std::size_t commands = 0;
  for (const auto& page : pages::names())
    for (const auto& block : pages::blocks_of(page))
      for (const auto& command : block.commands) {
        const auto words = own_words(command.text);
        if (words.empty()) continue;
        ++commands;
        CHECK_MESSAGE(parse(words).command, page, ", ", block.section, ": ", command.text);
      }
  CHECK(commands > 40);
  // The negative twin.
  CHECK_FALSE(parse(own_words("plumb logs svc1 --tail 20 --sence 10m")).command);
}

TEST_CASE("each plumb command within the text of README and manuals exists, with its options") {
  const auto commands = command_names();
  std::size_t found = 0;
  auto texts = pages::names();
  texts.insert(texts.end(), {"specs/OPENSVC.md", "tests/bench/README.md", "CONTRIBUTING.md"});
  for (const auto& page : texts) {
    const std::string text = pages::text_of(page);
    const std::regex quoted(page.ends_with(".md") ? "`plumb ([^`]+)`" : "\\*plumb ([^*]+)\\*");
    for (const auto& match : matches(text, quoted)) {
      const auto words = words_of(match[1]);
      CAPTURE(page);
      CAPTURE(match[0]);
      REQUIRE_FALSE(words.empty());
      ++found;
      if (words.front().starts_with("COMMAND") || words.front().starts_with("--")) continue;
      REQUIRE(std::find(commands.begin(), commands.end(), words.front()) != commands.end());
      for (const auto& word : words)
        if (word.size() > 2 && word.starts_with("--")) CHECK(help_of(words.front()).find(word) != std::string::npos);
    }
  }
  CHECK(found > 40);
}

TEST_CASE("each manual that is named exists, and has its sections") {
  std::set<std::string> manuals;
  for (const auto& page : pages::names())
    if (!page.ends_with(".md")) manuals.insert(page);
  CHECK(manuals.size() >= 8);
  const std::regex named("\\b(plumb[-.a-z]*|ocf_plumb_service)\\*?\\(([1-8])\\)");
  std::size_t found = 0;
  const auto look = [&](const std::filesystem::path& path) {
    const std::string text = text_of_file(path);
    for (const auto& match : matches(text, named)) {
      ++found;
      CHECK_MESSAGE(manuals.contains(match[1] + "." + match[2]), path, " names ", match[0]);
    }
  };
  for (const auto& folder : {"plugin", "specs", "netns", "docker_client"})
    for (const auto& entry : std::filesystem::recursive_directory_iterator(kSource + "/" + folder))
      if (entry.is_regular_file()) look(entry.path());
  for (const auto& file : {"README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "tests/bench/README.md"})
    look(kSource + "/" + file);
  CHECK(found > 40);
  for (const auto& match : matches(pages::text_of("README.md"), std::regex("man ([-._a-z]+)"))) {
    const auto page = match[1];
    CHECK_MESSAGE(std::any_of(manuals.begin(), manuals.end(),
                              [&](const auto& manual) { return manual.substr(0, manual.rfind('.')) == page; }),
                  page);
  }
  for (const auto& manual : manuals) {
    CAPTURE(manual);
    const auto text = pages::text_of(manual);
    std::vector<std::string> wanted{"NAME", "DESCRIPTION", "SEE ALSO"};
    if (!manual.ends_with(".7")) wanted.insert(wanted.end(), {"SYNOPSIS", "EXAMPLES", "FILES"});
    if (manual.ends_with(".8")) wanted.emplace_back("EXIT STATUS");
    for (const auto& section : wanted) CHECK_MESSAGE(text.find("\n# " + section + "\n") != std::string::npos, section);
  }
}

TEST_CASE("README fits 150 lines, and its service is the example of that name") {
  const auto readme = pages::text_of("README.md");
  CHECK(std::count(readme.begin(), readme.end(), '\n') <= 150);
  std::string example;
  for (const auto& line :
       matches(text_of_file(kSource + "/specs/examples/micro-containers.conf"), std::regex("[^\n]*\n")))
    if (!line.front().starts_with('#')) example += line.front();
  const auto begin = readme.find("```ini\n") + 7;
  CHECK(readme.substr(begin, readme.find("```", begin) - begin) == example.substr(example.find('[')));
}
