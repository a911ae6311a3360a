#include "plugin/command/command_line.h"

#include <doctest/doctest.h>

#include <iostream>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "plugin/output/exit_code.h"

using namespace plumb;

namespace {

// What a parse has printed to a stream goes here for as long as this lives.
class Captured {
 public:
  explicit Captured(std::ostream& stream) : stream_(stream), before_(stream.rdbuf(text_.rdbuf())) {}
  ~Captured() { stream_.rdbuf(before_); }
  Captured(const Captured&) = delete;
  Captured& operator=(const Captured&) = delete;
  [[nodiscard]] std::string text() const { return text_.str(); }

 private:
  std::ostringstream text_;
  std::ostream& stream_;
  std::streambuf* before_;
};

Parsed parse(std::vector<std::string> words) {
  words.insert(words.begin(), "plumb");
  std::vector<char*> argv;
  for (auto& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  return parse_command_line(static_cast<int>(words.size()), argv.data());
}

// A command line that is right.
CommandLine command(const std::vector<std::string>& words) {
  auto parsed = parse(words);
  REQUIRE(parsed.command);
  return *parsed.command;
}

using Words = std::vector<std::string>;

}  // namespace

TEST_CASE("no command has two options of one name") {
  for (const auto& name : names_given_twice()) FAIL_CHECK(name);
}

TEST_CASE("each command explains itself, with examples") {
  for (const auto& name : command_names()) {
    CAPTURE(name);
    std::string text;
    std::optional<Parsed> parsed;
    {
      const Captured out(std::cout);
      parsed = parse({name, "--help"});
      text = out.text();
    }
    CHECK_FALSE(parsed->command);
    CHECK(parsed->exit_code == 0);
    CHECK_MESSAGE(text.find("Examples:\n  plumb " + name) != std::string::npos, text);
  }
}

TEST_CASE("plumb --help names each command, and the version is printed") {
  const Captured out(std::cout);
  CHECK(parse({"--help"}).exit_code == 0);
  for (const auto& name : command_names()) CHECK(out.text().find("\n  " + name + " ") != std::string::npos);
  CHECK(parse({"--version"}).exit_code == 0);
  CHECK(out.text().find("plumb 0.") != std::string::npos);
}

TEST_CASE("each command is parsed") {
  for (const auto& name : command_names()) {
    CAPTURE(name);
    Words words{name};
    if (name == "ocf") {
      words.emplace_back("monitor");
    } else if (name != "ls" && name != "driver" && name != "watch" && name != "version") {
      words.emplace_back("svc1");
    }
    CHECK(parse(words).command);
  }
}

TEST_CASE("enter: a container, whether inside it, and a command that has options of its own") {
  const auto all = command({"enter", "svc1", "db", "--container", "--", "psql", "-c", "select 1", "--", "x"});
  CHECK(all.action == Action::enter);
  CHECK(all.service == "svc1");
  CHECK(all.container == "db");
  CHECK(all.inside);
  CHECK(all.arguments == Words{"psql", "-c", "select 1", "--", "x"});
  CHECK(command({"enter", "-c", "svc1"}).inside);
  CHECK(command({"enter", "-c", "svc1"}).container.empty());
  CHECK_FALSE(command({"enter", "svc1", "container#1"}).inside);
}

TEST_CASE("docker: what follows the service is docker's, its options, too") {
  const auto all = command({"docker", "--node", "n2", "svc1", "ps", "-a", "--format", "json"});
  CHECK(all.service == "svc1");
  CHECK(all.place.node == "n2");
  CHECK(all.arguments == Words{"ps", "-a", "--format", "json"});
  CHECK(command({"docker", "svc1", "exec", "-i", "x", "sh", "-c", "--help"}).arguments ==
        Words{"exec", "-i", "x", "sh", "-c", "--help"});
}

TEST_CASE("logs, plan and driver: their own options") {
  const auto logs = command({"logs", "svc1", "web", "2", "--tail", "20", "-f", "--since", "10m", "-t"});
  CHECK(logs.arguments == Words{"web", "2"});
  CHECK(logs.tail == 20U);
  CHECK(logs.follow);
  CHECK(logs.timestamps);
  CHECK(logs.since == std::chrono::minutes(10));
  CHECK(command({"plan", "svc1", "stop", "--format", "json"}).plan_verb == "stop");
  CHECK(command({"plan", "svc1", "stop", "--format", "json"}).json);
  CHECK(command({"driver", "--check", "--format", "json"}).driver.check);
}

TEST_CASE("only activate can be forced") {
  CHECK(parse({"activate", "svc1", "--force"}).command.value().force);
  CHECK_FALSE(parse({"activate", "svc1"}).command.value().force);
  for (const char* other : {"start", "stop", "prepare"})
    CHECK(parse({other, "svc1", "--force"}).exit_code == static_cast<int>(ExitCode::usage));
}

TEST_CASE("a wrong usage is said, and is no success") {
  const auto usage = static_cast<int>(ExitCode::usage);
  const Captured err(std::cerr);
  CHECK(parse({"start"}).exit_code == usage);
  CHECK(parse({"start", "svc1", "svc2"}).exit_code == usage);
  CHECK(parse({"status", "svc1", "--format", "xml"}).exit_code == usage);
  CHECK(parse({"logs", "svc1", "--since", "soon"}).exit_code == usage);
  CHECK(parse({"driver", "--format", "json"}).exit_code == usage);
  CHECK(parse({"sart", "svc1"}).exit_code == usage);
  CHECK(parse({}).exit_code == usage);
  CHECK(err.text().find("soon") != std::string::npos);
}
