// What a stop goes by: the configuration that the service was started with, also when the stop before it was killed or
// failed, and whatever has become of the file meanwhile.
#include <doctest/doctest.h>

#include "tests/lab/service.h"

namespace plumb::lab {
namespace {

const std::string kFile = "/etc/plumb/host.conf";
const std::string kKept = "/run/plumb/host.stopping";
constexpr int kKilled = 128 + 9;

// An address of the node itself: nothing but the configuration says whose it is.
std::string with_address(const std::string& address) {
  return "[ip#0]\nipname = " + address + "\nipdev = eth0\nnetmask = 24\nprobe = off\n";
}

bool exists(const Node& node, const std::string& path) { return node.run({"test", "-e", path}).exit_code == 0; }

bool has_address(const Node& node, const std::string& address) {
  return node.must({"ip", "-br", "address", "show", "dev", "eth0"}).find(address + "/") != std::string::npos;
}

// Starts it with 10.0.3.21, and kills its stop when that has begun, but before the address is gone.
void start_and_stop_half(const Node& node, const Service& host) {
  node.write(kFile, with_address("10.0.3.21"));
  REQUIRE(host.plumb(node, "start").exit_code == 0);
  for (int n = 1; !exists(node, kKept); ++n) {
    const Outcome stop = node.run(
        {"env", "ASAN_OPTIONS=detect_leaks=0", PLUMB_KILL_AT, std::to_string(n), program(), "stop", host.name()});
    REQUIRE_MESSAGE(stop.exit_code == kKilled, stop.err);
  }
  REQUIRE(has_address(node, "10.0.3.21"));
}

TEST_CASE("a stop that was killed is finished by the next, whatever the file says by then") {
  const Node n1("n1");
  const Service host("host", "");
  const State before = host.state(n1);
  const Words stop{program(), "stop", "host"};
  for (const std::string& now : {with_address("10.0.3.22"), std::string("nonsense\n"), std::string()}) {
    CAPTURE(now);
    start_and_stop_half(n1, host);
    if (now.empty())
      n1.remove(kFile);
    else
      n1.write(kFile, now);
    CHECK(n1.must({program(), "plan", "host", "stop"}).find("10.0.3.21") != std::string::npos);
    const Outcome second = n1.run(stop);
    CHECK_MESSAGE(second.exit_code == 0, second.err);
    CHECK_FALSE(exists(n1, kKept));
    n1.write(kFile, "");
    CHECK(difference(before, host.state(n1)) == "");
  }
  // It is what was kept that does it.
  start_and_stop_half(n1, host);
  n1.write(kFile, with_address("10.0.3.22"));
  n1.remove(kKept);
  CHECK(n1.run(stop).exit_code == 0);
  CHECK(has_address(n1, "10.0.3.21"));
  n1.write(kFile, with_address("10.0.3.21"));
  CHECK(n1.run(stop).exit_code == 0);
  // And nothing of it is left when a stop is done: the next goes by the file.
  n1.remove(kFile);
  CHECK(n1.run(stop).exit_code == 9);
}

// Both ways to start it go by what is left of it.
Outcome start_by_hand(const Node& node) { return node.run({program(), "start", "host"}); }
Outcome start_by_agent(const Node& node) {
  const Words environment{"OCF_ROOT=/usr/lib/ocf", "OCF_RESKEY_service=host", "OCF_RESKEY_CRM_meta_timeout=60000"};
  return node.start({installed_agent(node), "start"}, environment).wait();
}

TEST_CASE("a start after a stop that was killed leaves no address of the former configuration") {
  const Node n1("n1");
  for (const auto start_by : {start_by_hand, start_by_agent}) {
    CAPTURE((start_by == start_by_agent));
    const Service host("host", "");
    start_and_stop_half(n1, host);
    n1.write(kFile, with_address("10.0.3.22"));
    const Outcome start = start_by(n1);
    CHECK(start.exit_code == 0);
    CHECK_MESSAGE(start.err.find("was left undone") != std::string::npos, start.err);
    CHECK(has_address(n1, "10.0.3.22"));
    CHECK_FALSE(has_address(n1, "10.0.3.21"));
    CHECK_FALSE(exists(n1, kKept));
    // With the file as it was there is nothing to be finished: start makes it whole.
    CHECK(host.plumb(n1, "stop").exit_code == 0);
    start_and_stop_half(n1, host);
    const Outcome again = start_by(n1);
    CHECK(again.exit_code == 0);
    CHECK(again.err.empty());
    CHECK(has_address(n1, "10.0.3.21"));
    CHECK_FALSE(exists(n1, kKept));
  }
}

TEST_CASE("a start while it runs keeps the addresses that only its former configuration knows") {
  const Node n1("n1");
  for (const auto start_by : {start_by_hand, start_by_agent}) {
    CAPTURE((start_by == start_by_agent));
    const Service host("host", with_address("10.0.3.21"));
    REQUIRE(start_by(n1).exit_code == 0);
    n1.write(kFile, with_address("10.0.3.22"));
    n1.must({"ip", "address", "del", "10.0.3.21/24", "dev", "eth0"});
    const Outcome start = start_by(n1);
    CHECK(start.exit_code == 0);
    CHECK_MESSAGE(start.err.find("it is kept as it was started") != std::string::npos, start.err);
    CHECK(has_address(n1, "10.0.3.21"));
    CHECK_FALSE(has_address(n1, "10.0.3.22"));
    CHECK(host.plumb(n1, "stop").exit_code == 0);
    CHECK_FALSE(has_address(n1, "10.0.3.21"));
    // Once it is down, the file counts, and nothing is said.
    const Outcome fresh = start_by(n1);
    CHECK(fresh.exit_code == 0);
    CHECK(fresh.err.empty());
    CHECK(has_address(n1, "10.0.3.22"));
    CHECK_FALSE(has_address(n1, "10.0.3.21"));
  }
}

TEST_CASE("a service is stopped, restarted and shut down as it was started, when its file is another or gone") {
  const Node n1("n1");
  const Service host("host", with_address("10.0.3.21"));
  REQUIRE(host.plumb(n1, "start").exit_code == 0);
  n1.write(kFile, with_address("10.0.3.22"));
  REQUIRE(host.plumb(n1, "restart").exit_code == 0);
  CHECK_FALSE(has_address(n1, "10.0.3.21"));
  CHECK(has_address(n1, "10.0.3.22"));
  // A restart that could only stop it does nothing.
  n1.write(kFile, "nonsense\n");
  CHECK(host.plumb(n1, "restart").exit_code == 6);
  CHECK(has_address(n1, "10.0.3.22"));
  n1.remove(kFile);
  CHECK(host.plumb(n1, "restart").exit_code == 9);
  CHECK(has_address(n1, "10.0.3.22"));
  // It can be looked at as long as it runs.
  const Outcome status = host.plumb(n1, "status");
  CHECK(status.exit_code == 0);
  CHECK_MESSAGE(status.err.find("host.conf is gone") != std::string::npos, status.err);
  CHECK(n1.must({program(), "ls"}).find("10.0.3.22") != std::string::npos);
  CHECK(n1.run({program(), "shutdown"}).exit_code == 0);
  CHECK_FALSE(has_address(n1, "10.0.3.22"));
  CHECK(host.plumb(n1, "status").exit_code == 9);
}

TEST_CASE("a stop takes the service's own address, and leaves those of others in its subnet") {
  const Node n1("n1");
  const Service h1("host", with_address("10.0.9.1"));
  const Service h2("other", with_address("10.0.9.2"));
  REQUIRE(h1.plumb(n1, "start").exit_code == 0);
  REQUIRE(h2.plumb(n1, "start").exit_code == 0);
  n1.must({"ip", "address", "add", "10.0.9.4/24", "dev", "eth0"});
  n1.must({"ip", "route", "add", "10.77.0.0/16", "via", "10.0.9.77"});
  CHECK(h1.plumb(n1, "stop").exit_code == 0);
  CHECK_FALSE(has_address(n1, "10.0.9.1"));
  CHECK(has_address(n1, "10.0.9.2"));
  CHECK(has_address(n1, "10.0.9.4"));
  CHECK(h2.plumb(n1, "status").exit_code == 0);
  CHECK(n1.must({"ip", "route", "show", "10.77.0.0/16"}) != "");
  CHECK(h2.plumb(n1, "stop").exit_code == 0);
  CHECK(has_address(n1, "10.0.9.4"));
  n1.must({"ip", "route", "delete", "10.77.0.0/16"});
  n1.must({"ip", "address", "delete", "10.0.9.4/24", "dev", "eth0"});
}

TEST_CASE("an address on lo, and on a device that is called by another of its names") {
  const Node n1("n1");
  n1.must({"ip", "link", "property", "add", "altname", "uplink0", "dev", "eth0"});
  const Service loop("loop", "[ip#0]\nipname = 192.0.2.7\nipdev = lo\nnetmask = 32\n");
  const Service alias("alias", "[ip#0]\nipname = 10.0.3.25\nipdev = uplink0\nnetmask = 24\n");
  for (const auto* service : {&loop, &alias}) {
    const Outcome start = service->plumb(n1, "start");
    CHECK_MESSAGE(start.exit_code == 0, start.err);
    CHECK(service->plumb(n1, "status").exit_code == 0);
    CHECK(service->plumb(n1, "start").exit_code == 0);
  }
  CHECK(has_address(n1, "10.0.3.25"));
  CHECK(n1.must({"ip", "-br", "address", "show", "dev", "lo"}).find("192.0.2.7/32") != std::string::npos);
  for (const auto* service : {&loop, &alias}) CHECK(service->plumb(n1, "stop").exit_code == 0);
  CHECK_FALSE(has_address(n1, "10.0.3.25"));
  CHECK(n1.must({"ip", "-br", "address", "show", "dev", "lo"}).find("192.0.2.7/32") == std::string::npos);
  n1.must({"ip", "link", "property", "del", "altname", "uplink0", "dev", "eth0"});
}

TEST_CASE("a private engine finds its programs without a PATH") {
  const Node n1("n1");
  const Service own("own", reference_spec());
  const Outcome start = n1.run({"env", "PATH=", program(), "start", "own"});
  CHECK_MESSAGE(start.exit_code == 0, start.err);
}

TEST_CASE("an address that the node has already is taken with a warning") {
  const Node n1("n1");
  const Service host("host", with_address("10.0.3.21"));
  n1.must({"ip", "address", "add", "10.0.3.21/24", "dev", "eth0"});
  const Outcome start = host.plumb(n1, "start");
  CHECK(start.exit_code == 0);
  CHECK_MESSAGE(start.err.find("10.0.3.21/24 is on this node already, and not by a start of host") != std::string::npos,
                start.err);
  // From then on it is the service's.
  CHECK(host.plumb(n1, "start").err.empty());
  CHECK(host.plumb(n1, "stop").exit_code == 0);
  CHECK_FALSE(has_address(n1, "10.0.3.21"));
}

TEST_CASE(
    "a stop that failed since the engine was away is finished by the next, on the engine that it was started on") {
  const Node n1("n1");
  const std::string path = "/etc/plumb/web.conf";
  const Service web("web", edited(shared_engine_spec(), "image = nginx", "image = nginx\nrm = true"));
  const State before = web.state(n1);
  REQUIRE(web.plumb(n1, "start").exit_code == 0);
  lab({"engine", "n1", "kill"});
  CHECK(web.plumb(n1, "stop").exit_code == 8);
  n1.write(path, "nonsense\n");
  CHECK(web.plumb(n1, "stop").exit_code == 8);
  lab({"engine", "n1", "start"});
  const Outcome stop = n1.run({"env", "DOCKER_HOST=unix:///run/nobody.sock", program(), "stop", "web"});
  CHECK_MESSAGE(stop.exit_code == 0, stop.err);
  CHECK_FALSE(answers("10.0.3.3"));
  // Stopped, nothing of it is asked for there any more.
  n1.write(path, shared_engine_spec());
  CHECK(n1.run({"env", "DOCKER_HOST=unix:///run/nobody.sock", program(), "stop", "web"}).exit_code == 8);
  CHECK(difference_to_now(before, [&] { return web.state(n1); }) == "");
}

}  // namespace
}  // namespace plumb::lab
