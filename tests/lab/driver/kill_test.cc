// The driver, killed between any two of its system calls while an engine waits for it: whatever docker says then, what
// runs has its address and answers, and what does not run has left nothing that is in anybody's way.
//
// Each test kills at the first, second, third... call that has an effect, from the moment on when docker is told to do
// something, until the driver survives (kill_at.cc, kill_stride.h). A driver is started anew at once, as a service
// manager would do it.
#include <doctest/doctest.h>

#include <functional>
#include <optional>
#include <set>
#include <string>

#include "tests/lab/driver/faults.h"
#include "tests/lab/fault/kill_stride.h"

namespace plumb::lab {
namespace {

using namespace std::chrono_literals;

constexpr int kKilled = 128 + 9;
const std::string kAddress = "10.0.3.33";

// One driver after the other, with or without a socket that lasts.
class Drivers {
 public:
  Drivers(const Node& node, bool lasting) : node_(node) {
    if (lasting) socket_.emplace(node);
    // What an earlier test has left, in the engine and, once that knows of nothing, in the driver's folder.
    start();
    clear_engine(node_);
    now_.reset();
    node_.remove(kDriverState);
    start();
  }
  void start(const std::string& kill_at = {}) {
    now_.reset();
    now_.emplace(node_, DriverHow{socket_ ? &*socket_ : nullptr, kill_at, kDriverState});
  }
  // Runs docker with the driver counting. What kill_at said, when the driver did not survive that; another driver has
  // taken over then.
  std::optional<std::string> meanwhile(const Words& docker, Outcome& outcome) {
    now_->count();
    Running running = node_.start(docker);
    std::optional<std::string> call;
    if (ends_first(now_->running(), running)) {
      const Outcome end = now_->end(0);
      INFO(end.err);
      REQUIRE(end.exit_code == kKilled);
      call = end.err;
      start();
    }
    outcome = running.wait();
    // One that has survived would be killed later, while nobody looks.
    if (!call) start();
    return call;
  }

 private:
  Node node_;
  std::optional<LastingSocket> socket_;
  std::optional<Driver> now_;
};

// `prepare` with a driver that is not killed yet; `after` with what docker said.
void at_each_call(Drivers& drivers, const Words& docker, int least, const std::function<void()>& prepare,
                  const std::function<void(const Outcome&)>& after) {
  const auto every = stride();
  const auto part = part_of_today(every);
  MESSAGE("kills at the calls N with N % ", every, " = ", part, " (PLUMB_KILL_EVERY, PLUMB_KILL_PART)");
  int kills = 0;
  for (unsigned long n = 1, survived = 0; survived < 2; ++n) {
    if (n % every != part) continue;
    drivers.start(std::to_string(n));
    prepare();
    Outcome outcome;
    const auto call = drivers.meanwhile(docker, outcome);
    CAPTURE(n);
    CAPTURE(call.value_or("survived"));
    CAPTURE(outcome.out);
    CAPTURE(outcome.err);
    CHECK_FALSE(outcome.timed_out);
    survived = call ? 0 : survived + 1;
    kills += call ? 1 : 0;
    if (!call) REQUIRE(outcome.exit_code == 0);
    after(outcome);
  }
  MESSAGE(docker[1], " ", docker[2], ": killed ", kills, " times");
  CHECK(kills >= least / static_cast<int>(every));
}

// At once, whatever was left: another container has the address, and is the one that answers.
void usable_at_once(const Node& n1, const EngineNetwork& network) {
  const Outcome other = n1.run(network.run("other", kAddress));
  CAPTURE(other.err);
  CHECK(other.exit_code == 0);
  CHECK(reaches(kAddress, "other"));
  CHECK(agree(n1) == "");
  CHECK(n1.run({"docker", "rm", "-f", "other"}).exit_code == 0);
  CHECK(agree(n1) == "");
}

void kill_runs(bool lasting) {
  const Node n1("n1");
  Drivers drivers(n1, lasting);
  const EngineNetwork network(n1, "killed");
  at_each_call(
      drivers, network.run("w1", kAddress, {"--restart=no"}), 30, [] {},
      [&](const Outcome& run) {
        CHECK(inspect(n1, "w1", "{{.State.Running}}") == (run.exit_code == 0 ? "true" : "false"));
        if (run.exit_code == 0) {
          CHECK(reaches(kAddress, "w1"));
          CHECK(agree(n1) == "");
        }
        CHECK(n1.run({"docker", "rm", "-f", "w1"}).exit_code == 0);
        usable_at_once(n1, network);
      });
}

TEST_CASE("docker run, the driver killed at any call, its socket lasts") { kill_runs(true); }

TEST_CASE("docker run, the driver killed at any call, its socket goes with it") { kill_runs(false); }

TEST_CASE("docker rm, the driver killed at any call") {
  const Node n1("n1");
  Drivers drivers(n1, true);
  const EngineNetwork network(n1, "killed");
  at_each_call(
      drivers, {"docker", "rm", "-f", "w1"}, 8,
      [&] {
        REQUIRE(n1.run(network.run("w1", kAddress)).exit_code == 0);
        CHECK(reaches(kAddress, "w1"));
      },
      [&](const Outcome& remove) {
        CHECK(remove.exit_code == 0);
        CHECK(inspect(n1, "w1", "{{.State.Running}}").empty());
        usable_at_once(n1, network);
      });
}

TEST_CASE("docker network create, the driver killed at any call") {
  const Node n1("n1");
  Drivers drivers(n1, true);
  at_each_call(
      drivers, EngineNetwork::create("killed"), 6, [] {},
      [&](const Outcome& create) {
        const bool made = create.exit_code == 0;
        CHECK(n1.run({"docker", "network", "inspect", "killed"}).exit_code == (made ? 0 : 1));
        CHECK(agree(n1) == "");
        if (made) CHECK(n1.run({"docker", "network", "rm", "killed"}).exit_code == 0);
        const EngineNetwork again(n1, "killed");
        usable_at_once(n1, again);
      });
  clear_engine(n1);
  CHECK(agree(n1) == "");
}

// The engine calls a network removed that the driver could not remove, and never names it again: its record may stay,
// of which nothing but a look into the folder can tell.
TEST_CASE("docker network rm, the driver killed at any call: nothing of it is in the way of the next") {
  const Node n1("n1");
  Drivers drivers(n1, true);
  std::set<std::string> removed;
  at_each_call(
      drivers, {"docker", "network", "rm", "killed"}, 4,
      [&] {
        const Outcome made = n1.run(EngineNetwork::create("killed"));
        REQUIRE(made.exit_code == 0);
        removed.insert("networks/" + made.out.substr(0, 64) + ".json");
      },
      [&](const Outcome& remove) {
        // What it could not do it says, and it can be done again.
        if (remove.exit_code != 0) CHECK(n1.run({"docker", "network", "rm", "killed"}).exit_code == 0);
        CHECK(n1.run({"docker", "network", "inspect", "killed"}).exit_code == 1);
        for (const auto& record : records(n1)) CHECK((record.starts_with("pools/") || removed.contains(record)));
        const EngineNetwork again(n1, "killed");
        const Outcome run = n1.run(again.run("other", kAddress));
        CAPTURE(run.err);
        CHECK(run.exit_code == 0);
        CHECK(reaches(kAddress, "other"));
      });
}

}  // namespace
}  // namespace plumb::lab
