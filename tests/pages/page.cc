#include "tests/pages/page.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>

namespace plumb::pages {

namespace {

constexpr std::array<std::string_view, 4> kNodes{"n1", "n2", "n3", "client"};

std::string path_of(std::string_view page) {
  const std::string source = PLUMB_SOURCE_DIR;
  if (page.ends_with(".md")) return source + "/" + std::string(page);
  const std::string manual = source + "/plugin/man/" + std::string(page) + ".scd";
  return std::filesystem::exists(manual) ? manual : manual + ".in";
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> out;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) out.push_back(line);
  return out;
}

// The node of a line's prompt; empty when it has none.
std::string_view prompt_of(std::string_view line) {
  for (const auto node : kNodes)
    if (line.starts_with(node) && line.substr(node.size()).starts_with("# ")) return node;
  return {};
}

// The word that ends the here-document that a line begins; empty when it begins none.
std::string end_word(const std::string& line) {
  const auto at = line.find("<<");
  if (at == std::string::npos) return {};
  std::string word = line.substr(at + 2);
  std::erase(word, '\'');
  return word.substr(0, word.find(' '));
}

std::vector<Command> commands_of(const std::vector<std::string>& lines) {
  const bool prompts = std::any_of(lines.begin(), lines.end(), [](auto& line) { return !prompt_of(line).empty(); });
  std::vector<Command> out;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const auto node = prompt_of(lines[i]);
    if (prompts && node.empty()) {
      if (!out.empty()) out.back().shown.push_back(lines[i]);
      continue;
    }
    if (lines[i].empty() || lines[i].starts_with('#')) continue;
    Command command{std::string(node), node.empty() ? lines[i] : lines[i].substr(node.size() + 2), {}};
    const auto end = end_word(command.text);
    while (command.text.ends_with('\\') && i + 1 < lines.size()) command.text += "\n" + lines[++i];
    for (bool open = !end.empty(); open && i + 1 < lines.size(); open = lines[i] != end)
      command.text += "\n" + lines[++i];
    out.push_back(std::move(command));
  }
  return out;
}

// scdoc(5) has a backslash before each sign that is to be taken literally, also in a block.
std::string unescaped(const std::string& line) {
  std::string out;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\\' && i + 1 < line.size()) ++i;
    out += line[i];
  }
  return out;
}

}  // namespace

std::vector<std::string> names() {
  std::vector<std::string> out{"README.md"};
  for (const auto& entry : std::filesystem::directory_iterator(PLUMB_SOURCE_DIR "/plugin/man")) {
    const std::string name = entry.path().filename();
    if (const auto end = name.find(".scd"); end != std::string::npos) out.push_back(name.substr(0, end));
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::string text_of(std::string_view page) {
  std::ifstream file(path_of(page));
  if (!file.is_open()) throw std::runtime_error("cannot read " + path_of(page));
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<Block> blocks_of(std::string_view page) {
  const bool manual = !page.ends_with(".md");
  std::vector<Block> out;
  std::string section;
  std::vector<std::string> lines;
  bool inside = false;
  bool commands = false;
  for (const auto& line : lines_of(text_of(page))) {
    if (line.starts_with("```")) {
      if (inside && commands) out.push_back({std::string(page), section, commands_of(lines)});
      lines.clear();
      commands = manual || line == "```sh";
      inside = !inside;
    } else if (inside) {
      lines.push_back(manual ? unescaped(line) : line);
    } else if (line.starts_with("# ") || line.starts_with("## ")) {
      section = line.substr(line.find(' ') + 1);
    }
  }
  return out;
}

const std::vector<Run>& runs() {
  static const std::vector<Run> kRuns{
      {"README.md", "One service, from nothing", "pages_test"},
      {"README.md", "One network", "pages_test"},
      {"ocf_plumb_service.7", "EXAMPLES", "pages_test"},
      {"plumb.8", "HAND-OVER", "pages_test"},
      {"plumb.8", "EXAMPLES", "pages_test"},
      {"plumb.conf.5", "EXAMPLES", "pages_test"},
      {"plumb-docker.7", "TUTORIAL", "pages_test"},
      {"plumb-docker.7", "EXAMPLES", "pages_test"},
      {"plumb-driver.8", "EXAMPLES", "pages_test"},
      {"plumb-pacemaker.7", "A SERVICE", "cluster_test"},
      {"plumb-pacemaker.7", "A FLEX SERVICE", "cluster_test"},
      {"plumb-pacemaker.7", "EVERY DAY", "cluster_test"},
      {"plumb-pacemaker.7", "A MOVE", "cluster_test"},
      {"plumb-pacemaker.7", "A LOST SITE", "cluster_test"},
      {"plumb-tutorial.7", "WRITE THE FILE", "pages_test"},
      {"plumb-tutorial.7", "START", "pages_test"},
      {"plumb-tutorial.7", "LOOK", "pages_test"},
      {"plumb-tutorial.7", "MOVE", "pages_test"},
      {"plumb-tutorial.7", "HEAL", "pages_test"},
      {"plumb-tutorial.7", "HAND OVER", "pages_test"},
      {"plumb-tutorial.7", "CLEAN UP", "pages_test"},
      {"plumb-watch.8", "EXAMPLES", "pages_test"},
  };
  return kRuns;
}

std::vector<Block> blocks_for(std::string_view test) {
  std::vector<Block> out;
  for (const auto& run : runs())
    for (auto& block : blocks_of(run.page))
      if (run.test == test && block.section == run.section) out.push_back(std::move(block));
  return out;
}

const std::vector<Exempt>& exempts() {
  static const std::vector<Exempt> kExempts{
      {"sudo ci/", "it builds, or makes a lab: CI itself is made of these"},
      {"sudo .ci/run", "it is all of CI"},
      {"cmake --preset", "it builds"},
      {"sudo cmake --install", "it installs; the test `install` does that into a folder of its own"},
      {"sudo apt install ./build/package/", "it installs; ci/package --try does that in a root without compilers"},
      {"systemctl ", "the lab's nodes have no systemd"},
      {"journalctl ", "the lab's nodes have no systemd"},
      {"scp ", "the lab's nodes have no ssh: the test copies the file"},
      {"docker-compose ", "Compose is not installed on the lab's nodes"},
      {"docker plugin ", "managed_plugin_test makes, enables and removes the plugin, with the folder that it has made"},
      {"docker network create -d plumb:latest", "managed_plugin_test has its own network on the plugin"},
      {"docker network rm lan", "the network of the managed plugin, as above"},
      {"pcs stonith create", "it needs a machine with a power switch of its own; the lab has another fencing agent"},
      {"crm configure primitive power-n1", "the same"},
  };
  return kExempts;
}

const Exempt* exempt(const Command& command) {
  for (const auto& row : exempts())
    if (command.text.starts_with(row.begin) && (command.node.empty() || !command.text.starts_with("docker")))
      return &row;
  return nullptr;
}

}  // namespace plumb::pages
