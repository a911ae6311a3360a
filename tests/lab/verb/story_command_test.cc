// The command line as a user meets it: help, wrong usage, wrong files, completion. Nothing of it touches the node.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>

#include "tests/lab/service.h"

namespace plumb::lab {
namespace {

const Words kCommands{"validate", "plan",     "start",  "stop",   "restart", "prepare", "activate",
                      "boot",     "shutdown", "status", "doctor", "ls",      "logs",    "enter",
                      "keywords", "docker",   "driver", "watch",  "ocf",     "version"};

bool says(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

Outcome plumb(const Words& arguments) {
  Words command{program()};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return Node("n1").run(command);
}

// The words of the lines of `text` that begin with two blanks and no more.
std::set<std::string> first_words(const std::string& text) {
  std::set<std::string> out;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.size() < 3 || line.compare(0, 2, "  ") != 0 || line[2] == ' ') continue;
    out.insert(line.substr(2, line.find_first_of(" ,", 2) - 2));
  }
  return out;
}

// The long options that a help text shows.
std::set<std::string> long_options(const std::string& help) {
  std::set<std::string> out;
  for (auto at = help.find("--"); at != std::string::npos; at = help.find("--", at + 2)) {
    const auto end = help.find_first_not_of("abcdefghijklmnopqrstuvwxyz-", at);
    const auto line = help.rfind('\n', at) + 1;
    // Alone, or after its letter: "-h,--help", which newer releases of CLI11 put into columns.
    const auto before = help.find_last_not_of(' ', at - 1);
    if (before == std::string::npos || before < line || help[before] == ',') out.insert(help.substr(at, end - at));
  }
  return out;
}

// A script of bash that prints what a shell offers after the words, the last of which is being typed.
using Shell = std::string (*)(const Words&);

std::string bash(const Words& words) {
  std::string out = "source " PLUMB_SOURCE_DIR "/plugin/completion/plumb.bash; COMP_WORDS=(plumb";
  for (const auto& word : words) out += " '" + word + "'";
  return out + "); COMP_CWORD=" + std::to_string(words.size()) + "; _plumb; printf '%s\\n' \"${COMPREPLY[@]}\"";
}

std::string line_of(const Words& words) {
  std::string out = "plumb";
  for (const auto& word : words) out += " " + word;
  return out;
}

// Beside a word fish has what it means, behind a tab.
std::string fish(const Words& words) {
  return "fish --no-config -c \"source " PLUMB_SOURCE_DIR "/plugin/completion/plumb.fish; complete -C '" +
         line_of(words) + "'\" | cut -f 1";
}

std::string zsh(const Words& words) {
  return "folder=$(mktemp -d); cp " PLUMB_SOURCE_DIR "/plugin/completion/plumb.zsh $folder/_plumb; " PLUMB_SOURCE_DIR
         "/tests/lab/verb/zsh_offers $folder '" +
         line_of(words) + "'; rm -r $folder";
}

std::set<std::string> completions(Shell shell, const Words& words) {
  const std::string bin = std::filesystem::path(program()).parent_path();
  std::istringstream lines(Node("n1").must({"bash", "-c", "PATH=" + bin + ":$PATH; " + shell(words)}));
  std::set<std::string> out;
  for (std::string line; std::getline(lines, line);) out.insert(line);
  return out;
}

bool includes(const std::set<std::string>& all, const std::set<std::string>& some) {
  for (const auto& one : some)
    if (!all.contains(one)) {
      MESSAGE(one, " is missing");
      return false;
    }
  return true;
}

TEST_CASE("every command explains itself, with examples that are commands") {
  const Outcome help = plumb({"--help"});
  CHECK(help.exit_code == 0);
  CHECK(says(help.out, "Exit status"));
  for (const auto& command : kCommands) {
    CAPTURE(command);
    CHECK(says(help.out, "\n  " + command + " "));
    const Outcome own = plumb({command, "--help"});
    CHECK(own.exit_code == 0);
    CHECK(own.err.empty());
    CHECK(says(own.out, "Examples:\n  plumb " + command));
  }
}

TEST_CASE("a wrong command line is told from a wrong file and from a service that is not there") {
  CHECK(plumb({}).exit_code == 2);
  CHECK(plumb({"start"}).exit_code == 2);
  CHECK(plumb({"start", "--nope", "svc1"}).exit_code == 2);
  CHECK(plumb({"status", "svc1", "--format", "xml"}).exit_code == 2);
  const Outcome near = plumb({"strat", "svc1"});
  CHECK(near.exit_code == 2);
  CHECK(says(near.err, "did you mean \"start\"?"));
  CHECK(plumb({"logs", "svc1", "--tail", "few"}).exit_code == 2);
  CHECK(plumb({"logs", "svc1", "--since", "yesterday"}).exit_code == 2);
  for (const auto& verb : {"validate", "plan", "start", "stop", "restart", "prepare", "activate", "boot", "shutdown",
                           "status", "doctor", "logs", "enter", "docker"}) {
    CAPTURE(verb);
    const Outcome missing = plumb({verb, "nosuch"});
    CHECK(missing.exit_code == 9);
    CHECK(says(missing.err, "there is no /etc/plumb/nosuch.conf"));
  }
  CHECK(plumb({"keywords", "nosuch"}).exit_code == 2);
  CHECK(plumb({"version"}).out == plumb({"--version"}).out);
}

TEST_CASE("a wrong file is refused by every verb, in the same words, and nothing is touched") {
  const Node n1("n1");
  for (const auto& name : {"all_at_once", "gateway_outside", "encap_container", "docker_data_dir_relative"}) {
    CAPTURE(name);
    std::ifstream file(std::string(PLUMB_SOURCE_DIR "/tests/specs/bad/") + name + ".conf");
    const Service bad("bad", {std::istreambuf_iterator<char>(file), {}});
    const State before = bad.state(n1);
    const Outcome validate = bad.plumb(n1, "validate");
    CHECK(validate.exit_code == 6);
    CHECK(says(validate.err, "/etc/plumb/bad.conf:"));
    const auto diagnostics = validate.err.substr(0, validate.err.find("plumb: "));
    for (const auto& verb : {"plan", "start", "restart", "prepare", "activate", "boot", "status", "logs", "enter"}) {
      CAPTURE(verb);
      const Outcome refused = bad.plumb(n1, verb);
      CHECK(refused.exit_code == 6);
      CHECK(refused.err.substr(0, refused.err.find("plumb: ")) == diagnostics);
    }
    CHECK(difference(before, bad.state(n1)) == "");
  }
  const Service good("good", reference_spec());
  CHECK(good.plumb(n1, "validate").exit_code == 0);
}

TEST_CASE("the table of keywords explains each that it lists") {
  const Outcome all = plumb({"keywords"});
  CHECK(all.exit_code == 0);
  const auto names = first_words(all.out);
  CHECK(names.contains("ipname"));
  for (const auto& name : names) {
    if (name == "Names" || name == "Without") continue;
    CAPTURE(name);
    const Outcome one = plumb({"keywords", name});
    CHECK(one.exit_code == 0);
    CHECK(says(one.out, "Example"));
  }
}

TEST_CASE("the driver's check says what is missing, and leaves nothing behind") {
  const Node n1("n1");
  const std::string links = n1.must({"ip", "-o", "link"});
  const Outcome well = plumb({"driver", "--check"});
  CHECK(well.exit_code == 0);
  CHECK(says(well.out, "ok       kernel   macvlan"));
  CHECK(says(well.out, "nobody listens on /run/docker/plugins/plumb.sock yet\n         next: "));
  const Outcome json = plumb({"driver", "--check", "--format", "json"});
  CHECK(json.exit_code == 0);
  CHECK(json.out.starts_with("{\n  \"findings\": ["));
  CHECK(n1.must({"ip", "-o", "link"}) == links);

  // As root without one capability; then with folders that cannot be what they have to be.
  const Outcome less = n1.run({"setpriv", "--bounding-set", "-net_raw", program(), "driver", "--check"});
  CHECK(less.exit_code == 1);
  CHECK(says(less.out, "CAP_NET_RAW is missing\n         next: "));
  for (const auto& [option, value, text] : {std::array{"--state", "/etc/hostname", "/etc/hostname is no folder"},
                                            std::array{"--state", "/proc/sys/new", "/proc/sys cannot be written to"},
                                            std::array{"--socket", "/etc/hostname", "/etc/hostname is no socket"}}) {
    const Outcome wrong = plumb({"driver", "--check", option, value});
    CAPTURE(wrong.out);
    CHECK(wrong.exit_code == 1);
    CHECK(says(wrong.out, text));
  }
  const Outcome elsewhere = plumb({"driver", "--check", "--socket", "/run/other/plumb.sock"});
  CHECK(elsewhere.exit_code == 0);
  CHECK(says(elsewhere.out, "Docker does not look for drivers in /run/other"));
  CHECK(plumb({"driver", "--format", "json"}).exit_code == 2);
}

// Every command and option that help shows, and no other.
void check_completion(Shell shell) {
  const auto offered = completions(shell, {""});
  CHECK(includes(offered, {kCommands.begin(), kCommands.end()}));
  for (const auto& word : offered)
    if (!word.starts_with("--")) CHECK(std::count(kCommands.begin(), kCommands.end(), word) == 1);
  for (const auto& command : kCommands) {
    CAPTURE(command);
    const auto shown = long_options(plumb({command, "--help"}).out);
    CHECK(shown.contains("--help"));
    CHECK(includes(completions(shell, {command, "--"}), shown));
    CHECK(includes(shown, completions(shell, {command, "--"})));
  }
  const Service here("here", reference_spec());
  CHECK(completions(shell, {"start", "he"}) == std::set<std::string>{"here"});
  CHECK(completions(shell, {"plan", "here", "st"}) == std::set<std::string>{"start", "stop"});
  CHECK(completions(shell, {"logs", "here", ""}) == std::set<std::string>{"0", "1"});
  CHECK(completions(shell, {"enter", "here", "--", "nsent"}) == std::set<std::string>{"nsenter"});
  CHECK(completions(shell, {"status", "--format", "j"}) == std::set<std::string>{"json"});
  CHECK(includes(completions(shell, {"keywords", ""}), {"ipname", "topology", "netmask", "rm"}));
}

TEST_CASE("completion of bash knows every command and option that help shows, and no other") { check_completion(bash); }
TEST_CASE("completion of fish knows every command and option that help shows, and no other") { check_completion(fish); }
TEST_CASE("completion of zsh knows every command and option that help shows, and no other") { check_completion(zsh); }

}  // namespace
}  // namespace plumb::lab
