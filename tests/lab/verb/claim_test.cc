// One address, asked for on two nodes: whatever the time between the two starts, one of them gets it, and the other one
// is told so.
#include <doctest/doctest.h>

#include <chrono>
#include <optional>
#include <set>
#include <string>
#include <thread>

#include "tests/lab/capture.h"
#include "tests/lab/claimants.h"
#include "tests/lab/service.h"
#include "tests/lab/stalled_engine.h"

namespace plumb::lab {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

std::string spec_of(const std::string& address, const std::string& more = {}) {
  return "[DEFAULT]\nnodes = n1 n2 n3\n[ip#0]\ntype = netns\nipdev = eth0\nipname = " + address +
         "\nnetmask = " + (address.find(':') == std::string::npos ? "24" : "64") + "\nnetns = container#0\n" + more +
         "[container#0]\nrm = true\n";
}

// Rounds with both, or none.
void check_offsets(const std::string& address) {
  const Node n1("n1");
  const Node n3("n3");
  const Node client("client");
  const Service twice("twice", spec_of(address));
  for (milliseconds offset = 0ms; offset <= 1s; offset += offset_step()) {
    CAPTURE(offset.count());
    Capture capture(client, "eth0");
    Running first = n1.start({program(), "start", "twice"});
    std::this_thread::sleep_for(offset);
    const Outcome second = n3.run({program(), "start", "twice"});
    const Outcome one = first.wait();
    CHECK_MESSAGE((one.exit_code == 0) != (second.exit_code == 0), one.exit_code, " and ", second.exit_code, "\n",
                  one.err, second.err);
    CHECK(one.exit_code + second.exit_code == 5);
    const auto& refused = one.exit_code == 0 ? second : one;
    CHECK_MESSAGE(refused.err.find(address) != std::string::npos, refused.err);
    const auto who = claimants(capture.frames(), address);
    CHECK(who.size() == 1);
    for (const auto* node : {&n1, &n3}) CHECK(twice.plumb(*node, "stop").exit_code == 0);
  }
}

// A machine of the LAN that has the address from now on, and says nothing unless it is asked.
struct SilentRival {
  explicit SilentRival(const std::string& address) { lab({"rival", address}); }
  SilentRival(const SilentRival&) = delete;
  SilentRival& operator=(const SilentRival&) = delete;
  ~SilentRival() { lab({"rival", "--gone"}); }
};

// The service's address waits for something, and meanwhile somebody else takes it.
void check_refused(Running start, const Node& node, const Service& service, const State& before) {
  const Outcome outcome = start.wait();
  CHECK_MESSAGE(outcome.exit_code == 5, outcome.exit_code, outcome.err);
  CHECK_MESSAGE(outcome.err.find("10.0.3.3: 02:00:0a:00:fe:03 has claimed it") != std::string::npos, outcome.err);
  CHECK(difference_to_now(before, [&] { return service.state(node); }) == "");
}

}  // namespace

TEST_CASE("a rival that appears while the registry is silent ends the start: undone, and the rival is named") {
  const Node n1("n1");
  const std::string image = "ghcr.io/opensvc/pause";
  n1.must({"docker", "image", "rm", "-f", image});
  const Service waits("waits", spec_of("10.0.3.3") + "image = " + image + "\n");
  const State before = waits.state(n1);
  lab({"registry", "break", "silent"});
  Running start = n1.start({program(), "start", "waits"});
  // Reserved by now, and the engine waits for the registry.
  CHECK(
      Capture(Node("client"), "eth0").await([](const Frame& f) { return f.arp() && f.arp()->probes("10.0.3.3"); }, 5s));
  std::this_thread::sleep_for(500ms);
  {
    const SilentRival rival("10.0.3.3");
    check_refused(std::move(start), n1, waits, before);
  }
  lab({"registry", "mend"});
  n1.must({"docker", "pull", image});
}

TEST_CASE("a rival that appears while the engine stands still ends the start: undone, and the rival is named") {
  const Node n1("n1");
  const Service waits("waits", spec_of("10.0.3.3"));
  const State before = waits.state(n1);
  std::optional<StalledEngine> stalled;
  Running start = n1.start({program(), "start", "waits"});
  Capture wire(Node("client"), "eth0");
  REQUIRE(wire.await([](const Frame& f) { return f.arp() && f.arp()->probes("10.0.3.3"); }, 5s));
  stalled.emplace(n1);
  std::this_thread::sleep_for(500ms);
  const SilentRival rival("10.0.3.3");
  std::this_thread::sleep_for(1s);
  stalled.reset();  // it undoes by the engine, which has to answer for that
  check_refused(std::move(start), n1, waits, before);
}

TEST_CASE("two starts of one service on two nodes, from 0 to 1 s apart: one is up, the other one is refused (IPv4)") {
  check_offsets("10.0.3.3");
}

TEST_CASE("two starts of one service on two nodes, from 0 to 1 s apart: one is up, the other one is refused (IPv6)") {
  check_offsets("fd00:3::3");
}

}  // namespace plumb::lab
