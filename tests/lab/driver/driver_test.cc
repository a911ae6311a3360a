// The network driver's main job: a container with an address of the LAN, refused where somebody has it, and nothing
// left.
#include <doctest/doctest.h>

#include "tests/lab/capture.h"
#include "tests/lab/driver/driver.h"

namespace plumb::lab {
namespace {

const std::string kAddress = "10.0.3.33";
const std::string kAddress6 = "fd00:10:3::33";
const Words kLan{"--subnet", "10.0.3.0/24", "--gateway", "10.0.3.1", "-o", "parent=eth0"};
const Words kBoth{"--subnet", "10.0.3.0/24", "--ipv6", "--subnet", "fd00:10:3::/64", "-o", "parent=eth0"};
const Words kWeb{"--network", "svclan", "--ip", kAddress};

Words with(Words words, const Words& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

bool claims_either(const Frame& frame) {
  if (const auto arp = frame.arp()) return arp->claims(kAddress);
  const auto neighbour = frame.neighbour();
  return neighbour && neighbour->type == 136 && neighbour->target == kAddress6;
}

TEST_CASE("the README's story: a page on the LAN, a sibling with the same address, and nothing left") {
  DriverOn driver;
  const Node client("client");
  const State before = driver.state();
  REQUIRE(driver.network("svclan", kLan) == "");
  REQUIRE(driver.run("web", kWeb, "nginx") == "");
  CHECK(serves(client, kAddress));

  REQUIRE(driver.run("side", {"--network", "container:web"}) == "");
  CHECK(says(driver.inside("side", {"ip", "-4", "address", "show", "dev", "eth0"}), "inet 10.0.3.33/24"));
  CHECK(says(driver.inside("side", {"wget", "-q", "-O", "-", "http://127.0.0.1/"}), "Welcome to nginx!"));
  CHECK(driver.inside("side", {"ip", "route"}) ==
        "default via 10.0.3.1 dev eth0 \n10.0.3.0/24 dev eth0 scope link  src 10.0.3.33 ");

  const std::string network = driver.ask({"network", "inspect", "svclan"});
  CHECK(says(network, "\"IPv4Address\": \"10.0.3.33/24\""));
  CHECK(says(network, "\"MacAddress\": \"" + driver.mac_of("side") + "\""));
  CHECK(says(network, "\"Driver\": \"" + driver.name() + "\""));

  // The driver is not needed for what runs, and takes it up again.
  driver.kill();
  CHECK(serves(client, kAddress));
  driver.start();
  CHECK(says(driver.log(), "ready, 1 networks and 1 endpoints"));
  CHECK(driver.docker({"restart", "-t", "0", "web"}) == "");
  CHECK(serves(client, kAddress));

  CHECK(says(driver.docker({"network", "rm", "svclan"}), "has active endpoints"));
  CHECK(driver.remove({"web", "side"}) == "");
  CHECK(is_silent(client, kAddress));
  CHECK(driver.docker({"network", "rm", "svclan"}) == "");
  CHECK(driver.changed(before) == "");
  CHECK(driver.records().empty());
}

TEST_CASE("a rival refuses the start, also one that drops ping: its MAC is named, nothing is left, nothing claimed") {
  DriverOn driver;
  REQUIRE(driver.network("svclan", kBoth) == "");
  const Words both = with(kWeb, {"--ip6", kAddress6});
  const State before = driver.state();
  for (const Words& how : {Words{kAddress}, Words{kAddress, "--drop-ping"}, Words{kAddress6, "--drop-ping"}}) {
    CAPTURE(how.front());
    const Rival rival(how);
    Capture wire(driver.node(), "eth0");
    const std::string said = driver.run("web", both);
    CHECK_MESSAGE(says(said, "address " + how.front() + ": " + rival.mac() + " answers for it on eth0"), said);
    CHECK_MESSAGE(says(said, "stop it there"), said);
    for (const auto& frame : wire.frames())
      if (frame.outgoing) CHECK_FALSE_MESSAGE(claims_either(frame), frame.to_string());
    CHECK(driver.changed(before) == "");
    CHECK(driver.ask({"network", "inspect", "--format", "{{len .Containers}}", "svclan"}) == "0");
  }
  CHECK(driver.run("web", both) == "");
  CHECK(pings(Node("client"), kAddress));
  CHECK(pings(Node("client"), kAddress6));
}

TEST_CASE("a container on another node, on this one, and this node itself refuse the start") {
  DriverOn here;
  DriverOn there("n2");
  REQUIRE(there.network("svclan", kLan) == "");
  REQUIRE(here.network("svclan", kLan) == "");
  REQUIRE(there.run("web", kWeb) == "");
  const State before = here.state();
  const std::string elsewhere = here.run("web", kWeb);
  CHECK_MESSAGE(says(elsewhere, "address " + kAddress + ": " + there.mac_of("web")), elsewhere);
  CHECK_MESSAGE(says(elsewhere, " answers for it on eth0"), elsewhere);
  const std::string own = here.run("web", {"--network", "svclan", "--ip", "10.0.3.11"});
  CHECK_MESSAGE(says(own, "address 10.0.3.11: this node itself has it, on eth0"), own);
  CHECK(here.changed(before) == "");
  // Moved: the same start goes well once the other one has stopped.
  REQUIRE(there.docker({"stop", "-t", "0", "web"}) == "");
  CHECK(here.run("web", kWeb) == "");
  CHECK_MESSAGE(says(there.docker({"start", "web"}), here.mac_of("web")), "it must not start where it was");

  REQUIRE(here.network("second", kLan) == "");
  const std::string beside = here.run("beside", {"--network", "second", "--ip", kAddress});
  CHECK_MESSAGE(says(beside, "10.0.3.33 is in use by endpoint"), beside);
  CHECK(here.run("beside", {"--network", "second", "--ip", "10.0.3.34"}) == "");
}

TEST_CASE("conflict=warn and takeover start all the same and say so, and probe=off does not even ask") {
  DriverOn driver;
  REQUIRE(driver.network("svclan", kLan) == "");
  REQUIRE(driver.network("warned", with(kLan, {"-o", "conflict=warn"})) == "");
  REQUIRE(driver.network("taken", with(kLan, {"-o", "conflict=takeover"})) == "");
  REQUIRE(driver.network("unasked", with(kLan, {"-o", "probe=off"})) == "");
  const Rival rival({kAddress, "--drop-ping"});
  CHECK(driver.run("web", kWeb) != "");
  for (const std::string policy : {"warn", "takeover"}) {
    CAPTURE(policy);
    CHECK(driver.run("web", {"--network", policy == "warn" ? "warned" : "taken", "--ip", kAddress}) == "");
    const std::string log = driver.log();
    CHECK_MESSAGE(says(log, "warning: address 10.0.3.33: " + rival.mac() + " answers for it on eth0"), log);
    CHECK_MESSAGE(says(log, "(conflict=" + policy + ")"), log);
    CHECK(driver.remove({"web"}) == "");
  }
  Capture wire(driver.node(), "eth0");
  CHECK(driver.run("web", {"--network", "unasked", "--ip", kAddress}) == "");
  for (const auto& frame : wire.frames()) {
    const auto arp = frame.arp();
    CHECK_FALSE_MESSAGE((arp && arp->probes(kAddress)), frame.to_string());
  }
}

TEST_CASE("metrics: served where asked for, by root's socket alone, and they count what was done") {
  const std::string calls = "plumb_driver_calls_total{method=\"NetworkDriver.";
  {
    const DriverOn silent;
    CHECK(silent.metrics().empty());
    CHECK(silent.node().run({"test", "-e", silent.metrics_socket()}).exit_code != 0);
  }
  DriverOn driver("n1", {.metrics = true});
  for (const auto& socket : {driver.socket(), driver.metrics_socket()})
    CHECK(driver.node().must({"stat", "-c", "%a %U", socket}) == "600 root\n");
  REQUIRE(driver.network("svclan", kLan) == "");
  REQUIRE(driver.run("web", kWeb) == "");
  {
    const Rival rival({"10.0.3.34"});
    REQUIRE(driver.run("refused", {"--network", "svclan", "--ip", "10.0.3.34"}) != "");
  }
  auto now = driver.metrics();
  CHECK(now[calls + "CreateNetwork\",result=\"ok\"}"] == 1);
  CHECK(now[calls + "CreateEndpoint\",result=\"ok\"}"] == 1);
  CHECK(now[calls + "CreateEndpoint\",result=\"error\"}"] == 1);
  CHECK(now["plumb_driver_call_seconds_count{method=\"NetworkDriver.CreateEndpoint\"}"] == 2);
  CHECK(now["plumb_driver_conflicts_total"] == 1);
  CHECK(now["plumb_driver_announced_frames_total"] > 0);
  CHECK(now["plumb_driver_announce_failures_total"] == 0);
  CHECK(now["plumb_driver_networks"] == 1);
  CHECK(now["plumb_driver_endpoints"] == 1);
  CHECK(driver.remove({"web"}) == "");
  now = driver.metrics();
  CHECK(now[calls + "DeleteEndpoint\",result=\"ok\"}"] == 1);
  CHECK(now["plumb_driver_endpoints"] == 0);
}

}  // namespace
}  // namespace plumb::lab
