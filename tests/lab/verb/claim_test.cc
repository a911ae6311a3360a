// One address, asked for on two nodes: whatever the time between the two starts, one of them gets it, and the other one
// is told so.
#include <doctest/doctest.h>

#include <chrono>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <thread>

#include "tests/lab/capture.h"
#include "tests/lab/claimants.h"
#include "tests/lab/service.h"
#include "tests/lab/stalled_engine.h"
#include "tests/lab/watch/watch.h"

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

// Announced every 100 ms for ten seconds: as long a process goes on with the claim after the start.
const std::string kLong = "announce = 100 100ms\n";

bool announced(Capture& wire, milliseconds deadline) {
  return wire.await([](const Frame& f) { return f.arp() && f.arp()->claims("10.0.3.3"); }, deadline);
}

// The process that goes on after the start.
bool goes_on(const Node& node) { return node.run({"pgrep", "-f", "plumb start twice"}).exit_code == 0; }

Words in_pause(const std::string& pid, const Words& command) {
  Words out{"nsenter", "--net=/proc/" + pid + "/ns/net", "--"};
  out.insert(out.end(), command.begin(), command.end());
  return out;
}

bool has_address(const Node& node, const std::string& pid) {
  return node.run(in_pause(pid, {"ip", "-o", "address"})).out.find(" 10.0.3.3/") != std::string::npos;
}

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

TEST_CASE("after a start its address is announced as long as it is on its link, and no longer") {
  const Node n1("n1");
  const Service twice("twice", spec_of("10.0.3.3", kLong));
  REQUIRE(twice.plumb(n1, "start").exit_code == 0);
  const std::string pid = pid_of(n1, "twice.container.0");
  Capture before(Node("client"), "eth0");
  CHECK(announced(before, 5s));
  n1.must(in_pause(pid, {"ip", "address", "delete", "10.0.3.3/24", "dev", "eth0"}));
  Capture after(Node("client"), "eth0");
  CHECK_FALSE(announced(after, 1s));
  CHECK(becomes([&] { return !goes_on(n1); }, 5s));
}

TEST_CASE("after a start its claim goes on until a watcher has it") {
  const Node n1("n1");
  const Service twice("twice", spec_of("10.0.3.3", "gateway = 10.0.3.1\n" + kLong));
  REQUIRE(twice.plumb(n1, "start").exit_code == 0);
  const std::string book = n1.must({"cat", "/run/plumb/twice.claims"});
  CHECK_MESSAGE(book.find("\n10.0.3.3 ") != std::string::npos, book);
  CHECK(goes_on(n1));
  const Watch watch(n1);
  CHECK(becomes([&] { return !goes_on(n1); }, 5s));
  REQUIRE(is_confirmed(n1, "twice", "10.0.3.3"));
  // The watcher's is the start's: it has only been confirmed since.
  const std::string later = n1.must({"cat", "/run/plumb/twice.claims"});
  const auto chance = [](const std::string& text) {
    std::istringstream words(text.substr(text.find('\n') + 1));  // behind the heading
    std::string address;
    std::string epoch;
    std::string nonce;
    std::string id;
    words >> address >> epoch >> nonce >> id;
    return nonce + " " + id;
  };
  CHECK(chance(later) == chance(book));
}

TEST_CASE("without a watcher two owners that hear each other again right after their starts are one soon") {
  const Node n1("n1");
  const Node n3("n3");
  const Service twice("twice", spec_of("10.0.3.3", kLong));
  REQUIRE(twice.plumb(n1, "start").exit_code == 0);
  const std::string on_n1 = pid_of(n1, "twice.container.0");
  const Node lan("lan");
  lan.must({"ip", "link", "set", "n1", "nomaster"});
  const Outcome other = n3.run({program(), "start", "twice"});
  lan.must({"ip", "link", "set", "n1", "master", "lan"});
  REQUIRE_MESSAGE(other.exit_code == 0, other.err);
  const std::string on_n3 = pid_of(n3, "twice.container.0");
  CHECK(becomes([&] { return has_address(n1, on_n1) != has_address(n3, on_n3); }, 5s));
  Capture wire(Node("client"), "eth0");
  CHECK(announced(wire, 3s));
  CHECK(claimants(wire.frames(), "10.0.3.3").size() == 1);
}

TEST_CASE("two starts of one service on two nodes, from 0 to 1 s apart: one is up, the other one is refused (IPv4)") {
  check_offsets("10.0.3.3");
}

TEST_CASE("two starts of one service on two nodes, from 0 to 1 s apart: one is up, the other one is refused (IPv6)") {
  check_offsets("fd00:3::3");
}

}  // namespace plumb::lab
