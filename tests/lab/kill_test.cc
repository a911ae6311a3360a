// A verb that is killed at whatever instant: the next one makes the service whole, or clears it away.
//
// Each test kills at the first, second, third... call that has an effect, until the verb survives (kill_at.cc). That
// takes minutes: without PLUMB_KILL_ALL=1 every fifteenth call is done, others each day (PLUMB_KILL_EVERY and
// PLUMB_KILL_PART name them).
#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <string>

#include "tests/lab/extra_port.h"
#include "tests/lab/fault_stage.h"
#include "tests/lab/kill_stride.h"
#include "tests/lab/open_vswitch.h"
#include "tests/lab/system_container.h"

namespace plumb::lab {
namespace {

constexpr int killed = 128 + 9;

// `after` is called with N and what kill_at said of the call, each time that `verb` was killed at its N-th; `prepare`
// before that. Returns how often.
int at_each_call(const Stage& stage, const std::string& verb, const std::function<void()>& prepare,
                 const std::function<void(unsigned long, const std::string&)>& after) {
  const auto every = stride();
  const auto part = part_of_today(every);
  MESSAGE("kills at the calls N with N % ", every, " = ", part, " (PLUMB_KILL_EVERY, PLUMB_KILL_PART)");
  int kills = 0;
  // Parallel threads take a few calls more or less from run to run: it has survived when two in a row did.
  for (unsigned long n = 1, survived = 0; survived < 2; ++n) {
    if (n % every != part) continue;
    prepare();
    // The sanitizer that looks for leaks is a tracer itself, and a program has only one (ptrace(2)).
    const Outcome outcome = stage.plumb(verb, {"env", "ASAN_OPTIONS=detect_leaks=0", PLUMB_KILL_AT, std::to_string(n)});
    if (outcome.exit_code != killed) {
      INFO(outcome.err);
      REQUIRE(outcome.exit_code == exit_ok);
      ++survived;
      continue;
    }
    survived = 0;
    ++kills;
    CAPTURE(n);
    after(n, outcome.err);
  }
  MESSAGE(verb, " was killed ", kills, " times");
  return kills;
}

using Reached = std::function<bool()>;

void must_be_whole(const Stage& stage, const Reached& reached) {
  const Outcome again = stage.plumb("start");
  CAPTURE(again.err);
  CHECK(again.exit_code == exit_ok);
  const Outcome status = stage.plumb("status");
  CAPTURE(status.out);
  CHECK(status.exit_code == exit_ok);
  CHECK(reached());
}

void must_clear(const Stage& stage) {
  const Outcome stop = stage.plumb("stop");
  CAPTURE(stop.err);
  CHECK(stop.exit_code == exit_ok);
  CHECK(stage.changed() == "");
}

void kill_starts(const Stage& stage, int least, const Reached& reached, const std::string& verb = "start") {
  const auto clear = [&] { CHECK(stage.plumb("stop").exit_code == exit_ok); };
  const int kills = at_each_call(stage, verb, clear, [&](unsigned long n, const std::string& call) {
    CAPTURE(call);
    if (n % 2 == 1) must_be_whole(stage, reached);
    must_clear(stage);
  });
  CHECK(kills >= static_cast<int>(3UL * static_cast<unsigned long>(least) / std::max(3UL, stride())));
  must_clear(stage);
}

void kill_starts(const Stage& stage, int least) {
  kill_starts(stage, least, [&] { return stage.answers(); });
}

void kill_stops(const Stage& stage, int least) {
  const auto up = [&] { REQUIRE(stage.plumb("start").exit_code == exit_ok); };
  const int kills = at_each_call(stage, "stop", up, [&](unsigned long, const std::string& call) {
    CAPTURE(call);
    must_clear(stage);
  });
  CHECK(kills >= static_cast<int>(3UL * static_cast<unsigned long>(least) / std::max(3UL, stride())));
  must_clear(stage);
}

// With a way of the node's own to the address: its link is shared with other services, so no plain undo takes it away.
const Config shared_engine{"", "host_access = true\n", "", "", "eth0", "10.0.3.1", "nginx"};
const Config private_engine{"docker_data_dir = /srv/killed/docker_data_dir\n", "", "", "", "eth0", "10.0.3.1", "nginx"};

TEST_CASE("a start that is killed at any call is made whole by start, and cleared by stop") {
  kill_starts(Stage("killed", shared_engine), 15);
}

TEST_CASE("a stop that is killed at any call is finished by the next") {
  kill_stops(Stage("killed", shared_engine), 8);
}

TEST_CASE("a start with an engine of its own that is killed at any call is made whole, and cleared") {
  Stage stage("killed", private_engine);
  REQUIRE(stage.plumb("start").exit_code == exit_ok);  // its images are pulled once
  REQUIRE(stage.plumb("stop").exit_code == exit_ok);
  stage.remember();
  kill_starts(stage, 20);
}

TEST_CASE("a stop with an engine of its own that is killed at any call is finished by the next") {
  Stage stage("killed", private_engine);
  REQUIRE(stage.plumb("start").exit_code == exit_ok);
  REQUIRE(stage.plumb("stop").exit_code == exit_ok);
  stage.remember();
  kill_stops(stage, 12);
}

const Config handed_over{"handover = true\nhandover_timeout = 5s\n", "", "", "", "eth0", "10.0.3.1", "nginx"};

TEST_CASE("an activate that is killed at any call is made whole by start, and cleared by stop") {
  const Stage stage("killed", handed_over);
  kill_starts(
      stage, 15, [&] { return stage.answers(); }, "activate");
}

TEST_CASE("a stop that withdraws first, killed at any call, is finished by the next") {
  kill_stops(Stage("killed", handed_over), 8);
}

// The container runs on, as it did before; only the address comes and goes.
void encapsulate(Stage& stage, const SystemContainer& vm) {
  vm.node().must({"docker", "start", "vm1"});
  vm.node().write("/etc/plumb/" + stage.name() + ".conf",
                  "[container#0]\nname = vm1\nstandby = true\n[ip#0]\nipname = " + std::string(Stage::address) +
                      "\nipdev = eth0\ntags = encap\n");
  stage.remember();
}

TEST_CASE("a start inside a container that is killed at any call is made whole by start, and cleared by stop") {
  const SystemContainer vm("n1", "10.0.3.41");
  Stage stage("killed", shared_engine);
  encapsulate(stage, vm);
  kill_starts(stage, 4);
  CHECK(vm.state() == "running");
}

TEST_CASE("a stop inside a container that is killed at any call is finished by the next") {
  const SystemContainer vm("n1", "10.0.3.41");
  Stage stage("killed", shared_engine);
  encapsulate(stage, vm);
  kill_stops(stage, 3);
  CHECK(vm.state() == "running");
}

const Config dedicated{"", "mode = dedicated\nmacaddr = 02:00:0a:00:03:99\n", "", "", "eth9", "10.0.3.1", "nginx"};

TEST_CASE("a start and a stop with a device that is given away, killed at any call: the device comes back as it was") {
  const ExtraPort port("n1", "eth9");
  const Stage stage("killed", dedicated);
  const std::string device = port.look();
  kill_starts(stage, 12);
  CHECK(port.look() == device);
  kill_stops(stage, 8);
  CHECK(port.look() == device);
}

TEST_CASE("a start and a stop on Open vSwitch, killed at any call: no port is left in it") {
  const Node n1("n1");
  const OpenVswitch ovs(n1);
  const ExtraPort port("n1", "eth9");
  n1.must({"ip", "link", "set", "eth9", "up"});
  ovs.must({"add-port", "ovs0", "eth9"});
  const std::string ports = ovs.must({"list-ports", "ovs0"});
  const Stage stage("killed", {"", "mode = ovs\n", "", "", "ovs0", "10.0.3.1", "nginx"});
  kill_starts(stage, 12, [] {
    return Node("client").run({"ping", "-c", "1", "-W", "2", std::string(Stage::address)}).exit_code == 0;
  });
  CHECK(ovs.must({"list-ports", "ovs0"}) == ports);
  kill_stops(stage, 8);
  CHECK(ovs.must({"list-ports", "ovs0"}) == ports);
}

}  // namespace
}  // namespace plumb::lab
