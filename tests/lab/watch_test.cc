// The watcher: what is started stays true without an operator, and what is stopped stays down.
#include <doctest/doctest.h>

#include <csignal>
#include <string>

#include "tests/lab/capture.h"
#include "tests/lab/service.h"

namespace plumb::lab {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

const std::string kAddress = "10.0.3.3";
constexpr auto kSoon = 30s;  // a busy machine is no failure

// `plumb watch` on a node. Its log comes on its standard output.
class Watch {
 public:
  explicit Watch(const Node& node, const std::string& options = {})
      : running_(node.start({"bash", "-c", "exec " + program() + " watch " + options + " 2>&1"})) {
    REQUIRE(says("ready"));
  }
  // It says so, after the last forget().
  bool says(std::string_view text, std::chrono::milliseconds deadline = kSoon) {
    return running_.await_output(text, deadline);
  }
  void forget() { running_.forget_output(); }
  [[nodiscard]] const std::string& log() const { return running_.output(); }
  [[nodiscard]] pid_t pid() const { return running_.pid(); }
  Outcome end() {
    running_.signal(SIGTERM);
    return running_.wait(10s);
  }

 private:
  Running running_;
};

std::string pid_of(const Node& node, const std::string& container) {
  std::string pid = node.must({"docker", "inspect", "-f", "{{.State.Pid}}", container});
  pid.pop_back();
  return pid;
}

// The network namespace of a container, by its inode.
std::string namespace_of(const Node& node, const std::string& container) {
  return node.must({"readlink", "/proc/" + pid_of(node, container) + "/ns/net"});
}

std::string ms(std::chrono::nanoseconds time) {
  return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(time).count()) + " ms";
}

TEST_CASE("the pause is killed: address and siblings are there again without an operator, in one new namespace") {
  const Node n1("n1");
  const Service web("web", shared_engine_spec());
  REQUIRE(web.plumb(n1, "start").exit_code == 0);
  // What an operator would do, for comparison.
  n1.must({"docker", "kill", "web.container.0"});
  const Outcome by_hand = web.plumb(n1, "start");
  REQUIRE(by_hand.exit_code == 0);

  Watch watch(n1);
  const std::string before = namespace_of(n1, "web.container.0");
  watch.forget();
  const auto begin = Clock::now();
  n1.must({"docker", "kill", "web.container.0"});
  const auto killed = Clock::now();
  REQUIRE_MESSAGE(watch.says("up again"), watch.log());
  const auto healed = Clock::now();
  CHECK(answers(kAddress));
  MESSAGE("up again " << ms(healed - begin) << " after the kill began, " << ms(healed - killed)
                      << " after it was done; plumb start takes " << ms(by_hand.took));
  CHECK(healed - killed < by_hand.took + 2s);
  CHECK(namespace_of(n1, "web.container.0") != before);
  CHECK(namespace_of(n1, "web.container.1") == namespace_of(n1, "web.container.0"));
  CHECK(web.plumb(n1, "status").exit_code == 0);
  CHECK(watch.log().find("start container web.container.1") != std::string::npos);
  CHECK(watch.end().exit_code == 0);
}

TEST_CASE("what was damaged before the watcher came is healed, what is stopped stays down") {
  const Node n1("n1");
  const Service web("web", shared_engine_spec());
  REQUIRE(web.plumb(n1, "start").exit_code == 0);
  n1.must({"docker", "kill", "web.container.0"});
  Watch watch(n1);
  REQUIRE_MESSAGE(watch.says("up again"), watch.log());
  CHECK(answers(kAddress));
  watch.forget();
  CHECK(web.plumb(n1, "stop").exit_code == 0);
  CHECK_FALSE(answers(kAddress));
  CHECK_FALSE(watch.says("healing", 1500ms));
  CHECK(n1.must({"docker", "ps", "-q"}).empty());
  // A start is heard of without another word.
  REQUIRE(web.plumb(n1, "start").exit_code == 0);
  n1.must({"docker", "kill", "web.container.0"});
  CHECK(watch.says("up again"));
  CHECK(answers(kAddress));
}

TEST_CASE("a start that failed, and one that was undone, leave nothing to be watched") {
  const Node n1("n1");
  const Service web("web", shared_engine_spec());
  lab({"rival", kAddress});
  CHECK(web.plumb(n1, "start").exit_code == 5);
  lab({"rival", "--gone"});
  CHECK(n1.run({"test", "-e", "/run/plumb/web.started"}).exit_code != 0);
  REQUIRE(web.plumb(n1, "start").exit_code == 0);
  CHECK(n1.run({"test", "-e", "/run/plumb/web.started"}).exit_code == 0);
}

}  // namespace
}  // namespace plumb::lab
