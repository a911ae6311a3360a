// Commands for all services of a node, when the node's engine takes calls and answers none: its time limit is paid once
// for the command, and who does not need that engine is not held up.
#include <doctest/doctest.h>

#include <memory>
#include <vector>

#include "tests/lab/service.h"
#include "tests/lab/stalled_engine.h"

namespace plumb::lab {
namespace {

using namespace std::chrono_literals;

constexpr int kServices = 20;
constexpr auto kLimit = 30s;  // of an engine for its first word

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::string name_of(int i) { return "hung" + std::to_string(10 + i); }

// Twenty services on the node's own engine, of which nothing runs; one with an engine of its own, and one that needs
// none.
class Stage {
 public:
  Stage() {
    for (int i = 0; i < kServices; ++i) n1_.write("/etc/plumb/" + name_of(i) + ".conf", standby_spec(""));
  }
  ~Stage() {
    for (int i = 0; i < kServices; ++i) n1_.remove("/etc/plumb/" + name_of(i) + ".conf");
  }
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;

  void must(const Service& service, const std::string& verb) const {
    const Outcome done = service.plumb(n1_, verb);
    REQUIRE_MESSAGE(done.exit_code == 0, done.err);
  }

  [[nodiscard]] const Node& n1() const { return n1_; }
  [[nodiscard]] const Service& apart() const { return apart_; }
  [[nodiscard]] const Service& plain() const { return plain_; }
  [[nodiscard]] bool has_address() const { return has(n1_.must({"ip", "-o", "address"}), "10.0.3.44/"); }

 private:
  static std::string standby_spec(const std::string& engine) {
    return "[DEFAULT]\nnodes = n1\n" + engine + "[container#s]\nimage = plumb/pause\nrm = true\nstandby = true\n";
  }

  Node n1_{"n1"};
  Service apart_{"apart", standby_spec("docker_data_dir = /srv/apart\n")};
  Service plain_{"plain",
                 "[DEFAULT]\nnodes = n1\n[ip#0]\nipname = 10.0.3.44\nipdev = eth0\nnetmask = 24\nstandby = true\n"};
};

// Each of the twenty, and nobody else, has failed because its engine did not answer.
void check_hung(const Outcome& all, const std::string& verb) {
  CHECK_FALSE(all.timed_out);
  CHECK_MESSAGE(all.took >= kLimit, all.err);
  CHECK_MESSAGE(all.took < 2 * kLimit, all.err);
  CHECK(all.exit_code == 1);
  for (int i = 0; i < kServices; ++i) {
    const auto at = all.err.find(verb + " " + name_of(i) + ": ");
    REQUIRE_MESSAGE(at != std::string::npos, all.err);
    CHECK(has(all.err.substr(at, all.err.find('\n', at) - at), "no answer when the deadline passes"));
  }
  CHECK_MESSAGE(!has(all.err, verb + " apart"), all.err);
  CHECK_MESSAGE(!has(all.err, verb + " plain"), all.err);
}

TEST_CASE("what looks at all services waits for an engine that hangs once, and calls no other one hung") {
  const Stage stage;
  stage.must(stage.apart(), "boot");
  stage.must(stage.plain(), "start");
  {
    const StalledEngine stalled(stage.n1());
    Running list = stage.n1().start({program(), "ls"});
    Running status = stage.n1().start({program(), "status"});
    const Outcome listed = list.wait(100s);
    CHECK(listed.took < 2 * kLimit);
    CHECK(listed.exit_code == 8);
    for (int i = 0; i < kServices; ++i) CHECK_MESSAGE(has(listed.out, name_of(i) + "   unknown"), listed.out);
    CHECK_MESSAGE(has(listed.out, "apart    up"), listed.out);
    CHECK_MESSAGE(has(listed.out, "plain    up"), listed.out);
    CHECK_MESSAGE(has(listed.err, "no answer when the deadline passes"), listed.err);
    const Outcome seen = status.wait(100s);
    CHECK(seen.took < 2 * kLimit);
    CHECK(seen.exit_code == 8);
    CHECK_MESSAGE(has(seen.out, name_of(kServices - 1)), seen.out);
    CHECK_MESSAGE(has(seen.out, "no answer when the deadline passes"), seen.out);
  }
  // It was hung, and is not any more.
  const Outcome after = stage.n1().run({program(), "ls"});
  CHECK(after.exit_code == 0);
  CHECK_MESSAGE(!has(after.out, "unknown"), after.out);
}

TEST_CASE("boot of all services waits for an engine that hangs once, and meanwhile boots those of others") {
  const Stage stage;
  const StalledEngine stalled(stage.n1());
  Running boot = stage.n1().start({program(), "boot"});
  REQUIRE(boot.await_output("apart: ", 60s));
  CHECK_MESSAGE(!has(boot.errors(), "hung"), boot.errors());
  CHECK(stage.has_address());
  const Outcome all = boot.wait(100s);
  check_hung(all, "boot");
  CHECK_MESSAGE(has(all.out, "plain: "), all.out);
  CHECK(has(stage.apart().plumb(stage.n1(), "status").out, "container#s"));
}

TEST_CASE("shutdown of all services waits for an engine that hangs once, and meanwhile stops those of others") {
  const Stage stage;
  stage.must(stage.apart(), "boot");
  stage.must(stage.plain(), "start");
  REQUIRE(stage.has_address());
  const StalledEngine stalled(stage.n1());
  Running shutdown = stage.n1().start({program(), "shutdown"});
  REQUIRE(shutdown.await_output("apart: ", 60s));
  CHECK_MESSAGE(!has(shutdown.errors(), "hung"), shutdown.errors());
  const Outcome all = shutdown.wait(100s);
  check_hung(all, "shutdown");
  CHECK_MESSAGE(has(all.out, "plain: "), all.out);
  CHECK_FALSE(stage.has_address());
  // What could not be asked about is asked about again by the next one.
  CHECK(stage.apart().plumb(stage.n1(), "status").exit_code == 3);
}

TEST_CASE("boot and shutdown end within their time limit, and name what is left") {
  const Stage stage;
  stage.must(stage.plain(), "start");
  // A verb that does not end has the lock of one, and the engine hangs for the others.
  Running verb = stage.n1().start(
      {"bash", "-c", "exec 9<>/run/plumb/" + name_of(0) + ".lock; flock 9; echo held; exec sleep 1000"});
  REQUIRE(verb.await_output("held", 30s));
  const StalledEngine stalled(stage.n1());
  for (const std::string command : {"boot", "shutdown"}) {
    CAPTURE(command);
    const Outcome all = stage.n1().run({program(), command, "--time-limit", "6s"}, 100s);
    CHECK_MESSAGE(all.exit_code == 1, all.err);
    CHECK(all.took < kLimit);
    const auto left = all.err.find(command + ": left when its 6 s were over: ");
    REQUIRE_MESSAGE(left != std::string::npos, all.err);
    const std::string names = all.err.substr(left, all.err.find('\n', left) - left);
    for (int i = 0; i < kServices; ++i) CHECK_MESSAGE(has(names, name_of(i)), names);
    CHECK_MESSAGE(!has(names, "plain"), names);
    CHECK(has(all.out, "plain: "));
  }
  CHECK_FALSE(stage.has_address());
}

TEST_CASE("services of one engine are stopped side by side, each with all of its own time") {
  constexpr int kSlow = 4;
  const Node n1("n1");
  std::vector<std::unique_ptr<Service>> services;
  for (int i = 0; i < kSlow; ++i) {
    services.push_back(std::make_unique<Service>(
        "slow" + std::to_string(i),
        "[DEFAULT]\nnodes = n1\n[container#a]\nimage = busybox\nrm = true\nstop_timeout = 20s\n"
        "command = sh -c 'trap \"sleep 4; exit 0\" TERM; sleep 1000 & wait'\n"));
    REQUIRE(services.back()->plumb(n1, "start").exit_code == 0);
  }
  const Outcome all = n1.run({program(), "shutdown"}, 100s);
  CHECK_MESSAGE(all.exit_code == 0, all.err);
  CHECK(all.took >= 4s);
  CHECK(all.took < kSlow * 4s);
  for (const auto& one : services) CHECK_MESSAGE(has(all.out, one->name() + ": "), all.out);
}

TEST_CASE("what only looks does not wait for the engine of a service that is whole, unless it is told to") {
  const Node n1("n1");
  const Service web("web", shared_engine_spec());
  REQUIRE(web.plumb(n1, "start").exit_code == 0);
  CHECK(has(web.plumb(n1, "status").out, "not asked"));
  CHECK(has(web.plumb(n1, "status", {"--ask-engine"}).out, "API "));
  const auto unknown = [&](const std::vector<std::string>& options = {}) {
    return web.plumb(n1, "status", options).exit_code == 8;
  };
  SUBCASE("an engine that hangs") {
    const StalledEngine stalled(n1);
    CHECK_FALSE(unknown());
    CHECK(has(n1.must({program(), "ls"}), "web      up"));
    CHECK(unknown({"--ask-engine"}));
  }
  SUBCASE("a container that is gone") {
    n1.must({"docker", "kill", "web.container.1"});
    CHECK(web.plumb(n1, "status").exit_code == 4);
    const StalledEngine stalled(n1);
    CHECK(unknown());
  }
  REQUIRE(web.plumb(n1, "stop").exit_code == 0);
}

}  // namespace
}  // namespace plumb::lab
