#include "tests/lab/pages/player.h"

#include <csignal>
#include <fstream>
#include <iterator>
#include <regex>
#include <sstream>

#include "tests/lab/service.h"

namespace plumb::lab {

namespace {

using namespace std::chrono_literals;

// Without what differs from run to run.
std::string usual(const std::string& line) {
  static const std::vector<std::pair<std::regex, std::string>> kUsual{
      {std::regex("([0-9a-f]{2}:){5}[0-9a-f]{2}"), "MAC"},
      {std::regex("\\b(pid|in|after|took|API) [0-9.]+"), "$1 N"},
      {std::regex("[ \t]+"), " "},
      {std::regex(" $"), ""},
  };
  std::string out = line;
  for (const auto& [pattern, text] : kUsual) out = std::regex_replace(out, pattern, text);
  return out;
}

// Whether the line is what `wanted` says, in which "..." stands for any text.
bool fits(std::string_view line, std::string_view wanted) {
  constexpr std::string_view kAny = "...";
  const auto first = wanted.find(kAny);
  if (first == std::string_view::npos) return line == wanted;
  if (!line.starts_with(wanted.substr(0, first))) return false;
  line.remove_prefix(first);
  wanted.remove_prefix(first + kAny.size());
  for (auto next = wanted.find(kAny); next != std::string_view::npos; next = wanted.find(kAny)) {
    const auto at = line.find(wanted.substr(0, next));
    if (at == std::string_view::npos) return false;
    line.remove_prefix(at + next);
    wanted.remove_prefix(next + kAny.size());
  }
  return line.ends_with(wanted);
}

bool has_line(const std::string& text, const std::string& wanted) {
  const std::string usual_wanted = usual(wanted);
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);)
    if (fits(usual(line), usual_wanted)) return true;
  return false;
}

// `scp FILE NODE:FOLDER`: the lab's nodes have no ssh.
std::string copy(const std::string& from, const std::string& text) {
  static const std::regex kCopy("scp (\\S+/)(\\S+) (\\w+):(\\S+/)");
  std::smatch match;
  if (!std::regex_match(text, match, kCopy)) return "not understood";
  std::ifstream file(Node(from).outside(match[1].str() + match[2].str()));
  if (!file.is_open()) return "there is no such file";
  Node(match[3]).write(match[4].str() + match[2].str(), std::string(std::istreambuf_iterator<char>(file), {}));
  return {};
}

}  // namespace

std::string path_with_plumb(const Node& node) {
  node.must({"mkdir", "-p", "/srv/pages"});
  node.must({"ln", "-sf", program(), "/srv/pages/plumb"});
  return "PATH=/srv/pages:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
}

Player::~Player() {
  for (auto& [node, running] : background_) {
    running.signal(SIGTERM);
    running.wait(30s);
  }
}

std::string Player::play(const pages::Block& block) {
  for (const auto& command : block.commands)
    if (const auto wrong = type(command); !wrong.empty())
      return block.page + ", " + block.section + ": " + command.text + "\n" + wrong;
  return {};
}

std::string Player::type(const pages::Command& command) {
  const std::string name = command.node.empty() ? "n1" : command.node;
  if (command.text.starts_with("scp ")) return copy(name, command.text);
  if (pages::exempt(command) != nullptr) return {};
  const Node node(name);
  const auto beside = background_.find(name);
  const std::size_t before = beside == background_.end() ? 0 : beside->second.errors().size();
  Outcome outcome;
  outcome.exit_code = 0;
  if (command.text.ends_with(" &")) {
    if (beside != background_.end()) return "something goes on in the background there already";
    const auto text = "exec " + command.text.substr(0, command.text.size() - 2);
    background_.emplace(name, node.start({"bash", "-c", text}, {path_with_plumb(node)}));
  } else if (command.text == "wait" || command.text == "kill %1") {
    if (beside == background_.end()) return "nothing goes on in the background there";
    if (command.text == "kill %1") beside->second.signal(SIGTERM);
    outcome = beside->second.wait(60s);
    background_.erase(beside);
  } else {
    outcome = node.start({"bash", "-c", command.text}, {path_with_plumb(node)}).wait(120s);
  }
  const std::string printed = outcome.out + outcome.err;
  if (outcome.exit_code != 0) return "exit status " + std::to_string(outcome.exit_code) + "\n" + printed;
  for (const auto& line : command.shown)
    if (line != "..." && !is_shown(name, line, printed, before)) return "the page shows: " + line + "\n" + printed;
  return {};
}

bool Player::is_shown(const std::string& node, const std::string& line, const std::string& printed,
                      std::size_t before) {
  if (has_line(printed, line)) return true;
  const auto beside = background_.find(node);
  if (beside == background_.end()) return false;
  return becomes([&] { return has_line(beside->second.errors().substr(before), line); }, 30s);
}

std::string play_all(const std::string& page, const std::string& section) {
  Player player;
  bool played = false;
  for (const auto& block : pages::blocks_for("pages_test")) {
    if (block.page != page || (!section.empty() && block.section != section)) continue;
    if (auto wrong = player.play(block); !wrong.empty()) return wrong;
    played = true;
  }
  return played ? "" : page + " has no such commands";
}

}  // namespace plumb::lab
