// One address, asked for on two nodes by `docker start`, or by a machine that knows no plumb: whatever the time
// between, one has it, and who has not is told so. And what becomes of it when the driver, or a cable, goes and comes
// back.
#include <doctest/doctest.h>

#include <chrono>
#include <optional>
#include <set>
#include <thread>

#include "tests/lab/capture.h"
#include "tests/lab/claimants.h"
#include "tests/lab/driver/driver.h"
#include "tests/lab/driver/slow_engine.h"
#include "tests/lab/extra_port.h"

namespace plumb::lab {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

const std::string kAddress = "10.0.3.33";
const std::string kAddress6 = "fd00:10:3::33";
const Words kNetwork{"--subnet",       "10.0.3.0/24", "--gateway",    "10.0.3.1", "--ipv6",     "--subnet",
                     "fd00:10:3::/64", "--gateway",   "fd00:10:3::1", "-o",       "parent=eth0"};

std::string address6_of(const DriverOn& driver) {
  return driver.ask({"inspect", "--format", "{{range .NetworkSettings.Networks}}{{.GlobalIPv6Address}}{{end}}", "web"});
}

// `docker start web` on one node, and after the offset on the other.
std::pair<Outcome, Outcome> start_both(const DriverOn& one, const DriverOn& two, milliseconds offset) {
  Running first = one.node().start({"docker", "start", "web"});
  std::this_thread::sleep_for(offset);
  Outcome second = two.node().run({"docker", "start", "web"});
  return {first.wait(), std::move(second)};
}

// The same address on both: rounds in which both have it, or none.
void check_offsets(const std::string& option, const std::string& address) {
  const DriverOn one("n1");
  const DriverOn two("n2");
  const Node client("client");
  for (const auto* driver : {&one, &two}) {
    REQUIRE(driver->network("svclan", kNetwork) == "");
    REQUIRE(driver->run("web", {"--network", "svclan", option, address}) == "");
    REQUIRE(driver->docker({"stop", "-t", "0", "web"}) == "");
  }
  const State before = two.state();
  for (milliseconds offset = 0ms; offset <= 1s; offset += offset_step()) {
    CAPTURE(offset.count());
    Capture capture(client, "eth0");
    const auto outcomes = start_both(one, two, offset);
    const Outcome& first = outcomes.first;
    const Outcome& second = outcomes.second;
    CHECK_MESSAGE((first.exit_code == 0) != (second.exit_code == 0), first.err, second.err);
    const auto& refused = first.exit_code == 0 ? second : first;
    CHECK_MESSAGE(refused.err.find(address) != std::string::npos, refused.err);
    CHECK(pings(client, address));
    CHECK(claimants(capture.frames(), address).size() == 1);
    for (const auto* driver : {&one, &two}) CHECK(driver->docker({"stop", "-t", "0", "web"}) == "");
    CHECK(is_silent(client, address));
  }
  CHECK(two.changed(before) == "");
}

TEST_CASE("docker start with one address on two nodes, 0 to 1 s apart: one runs, the other one is told (IPv4)") {
  check_offsets("--ip", kAddress);
}

TEST_CASE("docker start with one address on two nodes, 0 to 1 s apart: one runs, the other one is told (IPv6)") {
  check_offsets("--ip6", kAddress6);
}

TEST_CASE("where the networks say that a conflict is only to be told of, both run: the test would see it") {
  const DriverOn one("n1");
  const DriverOn two("n2");
  for (const auto* driver : {&one, &two}) {
    Words network = kNetwork;
    network.insert(network.end(), {"-o", "conflict=warn"});
    REQUIRE(driver->network("svclan", network) == "");
  }
  Capture capture(Node("client"), "eth0");
  for (const auto* driver : {&one, &two}) CHECK(driver->run("web", {"--network", "svclan", "--ip", kAddress}) == "");
  const auto both = [&] { return claimants(capture.frames(), kAddress).size() == 2; };
  CHECK(becomes(both, 3s));
}

TEST_CASE("addresses that are chosen on two nodes, 0 to 1 s apart, on fresh networks: both run, with one each") {
  const DriverOn one("n1");
  const DriverOn two("n2");
  for (milliseconds offset = 0ms; offset <= 1s; offset += offset_step()) {
    CAPTURE(offset.count());
    for (const auto* driver : {&one, &two}) {
      REQUIRE(driver->network("svclan", kNetwork) == "");
      // Not started yet: from the network `none` to the fresh one.
      REQUIRE(driver->run("web", {"--network", "none"}) == "");
      REQUIRE(driver->docker({"stop", "-t", "0", "web"}) == "");
      REQUIRE(driver->docker({"network", "disconnect", "none", "web"}) == "");
      REQUIRE(driver->docker({"network", "connect", "svclan", "web"}) == "");
    }
    const auto outcomes = start_both(one, two, offset);
    const Outcome& first = outcomes.first;
    const Outcome& second = outcomes.second;
    CHECK_MESSAGE(first.exit_code == 0, first.err);
    CHECK_MESSAGE(second.exit_code == 0, second.err);
    CHECK(one.address_of("web") != two.address_of("web"));
    CHECK(address6_of(one) != address6_of(two));
    for (const auto* driver : {&one, &two}) {
      CHECK(driver->remove({"web"}) == "");
      REQUIRE(driver->docker({"network", "rm", "svclan"}) == "");
    }
  }
}

bool answers_a_probe(Capture& wire, const std::string& mac) {
  return wire.await([&](const Frame& f) { return f.arp() && f.arp()->claims(kAddress) && f.arp()->sender_mac == mac; },
                    3s);
}

TEST_CASE("somebody who takes the address while the engine is slow refuses the start, and is named") {
  const SlowEngine engine(kAddress);
  Capture wire(engine.n1, "eth0");
  SUBCASE("before Join, which says so") {
    const Rival rival({kAddress});
    REQUIRE(answers_a_probe(wire, rival.mac()));
    const Answer answer = engine.ask("Join");
    CHECK_MESSAGE(says(answer.error(), "address " + kAddress + ": " + rival.mac()), answer.body);
  }
  SUBCASE("after it: the engine does not find the link, and the call that comes last says so") {
    engine.must("Join");
    engine.must("ProgramExternalConnectivity");
    CHECK_FALSE(links_on_node(engine.n1).empty());
    const Rival rival({kAddress});
    CHECK(becomes([&] { return links_on_node(engine.n1).empty(); }, 3s));
    const Answer answer = engine.ask("ProgramExternalConnectivity");
    CHECK_MESSAGE(says(answer.error(), "address " + kAddress + ": " + rival.mac()), answer.body);
    for (const auto& frame : wire.frames())
      if (const auto arp = frame.arp(); arp && arp->claims(kAddress)) CHECK(arp->sender_mac == rival.mac());
  }
  SUBCASE("who takes another one refuses nothing") {
    const Rival rival({"10.0.3.34"});
    // As long as it would have been noticed in.
    CHECK(is_silent(Node("client"), kAddress));
    engine.must("Join");
    engine.must("ProgramExternalConnectivity");
    CHECK_FALSE(links_on_node(engine.n1).empty());
  }
}

// What is told of a device of its own: by the call that only looks.
std::string told(const SlowEngine& engine) { return engine.ask("ProgramExternalConnectivity").error(); }

enum class Comes { before_join, after_join, elsewhere };

// The rival of a container whose device eth9 is its own from CreateEndpoint on.
void meet_rival(const SlowEngine& engine, const ExtraPort& port, Comes when) {
  if (when != Comes::before_join) engine.must("Join");
  const Node client("client");
  Capture wire(client, "eth0");
  const Rival rival({when == Comes::elsewhere ? "10.0.3.34" : kAddress});
  if (when == Comes::elsewhere) {
    // As long as it would have been noticed in; and the device answers for nothing.
    CHECK(is_silent(client, kAddress));
    CHECK(pings(client, "10.0.3.11"));
    CHECK(told(engine).empty());
    CHECK_FALSE(port.look().empty());
    CHECK(claimants(wire.frames(), "10.0.3.11").size() <= 1);
    return;
  }
  CHECK(becomes([&] { return says(told(engine), "address " + kAddress + ": " + rival.mac()); }, 3s));
  if (when == Comes::before_join)
    CHECK(says(engine.ask("Join").error(), rival.mac()));
  else
    CHECK(becomes([&] { return port.look().empty(); }, 3s));
}

void given_away(Comes when) {
  const ExtraPort port("n1", "eth9");
  const auto look = [&] {
    return port.look() +
           port.node().must(
               {"bash", "-c", "cd /proc/sys/net; cat ipv4/conf/eth9/arp_ignore ipv6/conf/eth9/disable_ipv6"});
  };
  for (const std::string state : {"up", "down"}) {
    CAPTURE(state);
    port.node().must({"ip", "link", "set", "eth9", state});
    const std::string before = look();
    meet_rival(SlowEngine(kAddress, {{"parent", "eth9"}, {"mode", "dedicated"}}), port, when);
    CHECK(look() == before);
  }
}

TEST_CASE("a device that is given away hears who takes the address before Join, which says so") {
  given_away(Comes::before_join);
}

TEST_CASE("a device that is given away hears who takes the address after Join, and the engine does not find it") {
  given_away(Comes::after_join);
}

TEST_CASE("a device that is given away answers for nothing, and who takes another address refuses nothing") {
  given_away(Comes::elsewhere);
}

TEST_CASE("a device that has the name of one that was given away by now is left alone, and so it is after a boot") {
  std::optional<ExtraPort> port(std::in_place, "n1", "eth9");
  const Node n1 = port->node();
  n1.must({"ip", "link", "set", "eth9", "down"});
  SlowEngine engine(kAddress, {{"parent", "eth9"}, {"mode", "dedicated"}});
  const auto configured = [&] {
    n1.must({"ip", "link", "set", "eth9", "address", "02:00:00:00:99:99", "up"});
    n1.must({"ip", "address", "add", "192.0.2.9/24", "dev", "eth9"});
    return port->look();
  };
  SUBCASE("another device") {
    engine.end();
    port.reset();
    port.emplace("n1", "eth9");
    const std::string now = configured();
    engine.start();
    CHECK(port->look() == now);
    engine.must("DeleteEndpoint");
    CHECK(port->look() == now);
  }
  SUBCASE("another boot") {
    engine.end();
    n1.must({"ip", "link", "set", "eth9", "alias", ""});
    n1.must(
        {"bash", "-c",
         "sed -i 's/\"boot_id\":\"[^\"]*\"/\"boot_id\":\"another\"/' " + SlowEngine::state() + "/endpoints/*.json"});
    const std::string now = configured();
    engine.start();
    CHECK(port->look() == now);
    engine.must("DeleteEndpoint");
    CHECK(port->look() == now);
  }
  SUBCASE("the same device comes back as it was") {
    engine.end();
    engine.start();
    engine.must("DeleteEndpoint");
    CHECK(says(port->look(), "state DOWN"));
    CHECK_FALSE(says(port->look(), "plumb dedicated"));
  }
}

TEST_CASE("an address that is reserved for a slow engine is no other node's, and one that was let go is") {
  const DriverOn two("n2");
  REQUIRE(two.network("svclan", kNetwork) == "");
  {
    const SlowEngine engine(kAddress);
    const std::string said = two.run("web", {"--network", "svclan", "--ip", kAddress});
    CHECK_MESSAGE(says(said, "address " + kAddress), said);
  }
  CHECK(two.run("web", {"--network", "svclan", "--ip", kAddress}) == "");
}

TEST_CASE("a driver that was killed goes on with the claims of what runs") {
  DriverOn one("n1", {.metrics = true});
  DriverOn two("n2");
  const Node client("client");
  for (const auto* driver : {&one, &two}) REQUIRE(driver->network("svclan", kNetwork) == "");
  const Words web{"--network", "svclan", "--ip", kAddress, "--ip6", kAddress6};
  REQUIRE(one.run("web", web) == "");
  // Each of the two is written when it has been there for three seconds.
  const auto both_claimed = [&] {
    const std::string records = one.endpoints();
    const auto at = records.find("claims");
    return at != std::string::npos && says(records.substr(at), kAddress) && says(records.substr(at), kAddress6);
  };
  REQUIRE(becomes(both_claimed, 10s));
  const std::string claims = one.endpoints();
  one.kill();
  CHECK(says(two.run("web", web), kAddress));
  one.start();
  CHECK(pings(client, kAddress));
  CHECK(says(two.run("web", web), kAddress));
  auto now = one.metrics();
  CHECK(now["plumb_driver_rivals_total"] + now["plumb_driver_lost_addresses_total"] == 0);
  CHECK(now["plumb_driver_announced_frames_total"] > 0);
  // Another claim would have written its own when it had been there for as long.
  CHECK_FALSE(becomes([&] { return one.endpoints() != claims; }, 5s));
  {
    const Rival rival({kAddress});
    CHECK(becomes(
        [&] {
          now = one.metrics();
          return now["plumb_driver_rivals_total"] + now["plumb_driver_lost_addresses_total"] > 0;
        },
        5s));
    CHECK_MESSAGE(says(one.log(), "address " + kAddress + ": " + rival.mac()), one.log());
  }
  // Nobody is told that what runs is gone.
  CHECK(becomes([&] { return pings(client, kAddress); }, 10s));
  CHECK(pings(client, kAddress6));
}

TEST_CASE("a cable: who started meanwhile keeps the address, who was cut off takes it off, and has it back by itself") {
  DriverOn one("n1", {.metrics = true});
  const DriverOn two("n2");
  const Node client("client");
  REQUIRE(one.network("svclan", kNetwork) == "");
  REQUIRE(two.network("svclan", kNetwork) == "");
  const Words web{"--network", "svclan", "--ip", kAddress};
  REQUIRE(one.run("web", web) == "");
  REQUIRE(one.run("look", {"--network", "container:web"}) == "");
  const auto has = [&] { return says(one.inside("look", {"ip", "address"}), "inet " + kAddress + "/24"); };
  const std::string routes = one.inside("look", {"ip", "route"});
  CHECK(pings(client, kAddress));
  CHECK(has());
  lab({"cut", "n1"});
  CHECK(becomes([&] { return !has(); }, 3s));
  CHECK(two.run("web", web) == "");
  CHECK(pings(client, kAddress));
  Capture wire(client, "eth0");
  lab({"mend", "n1"});
  CHECK(becomes([&] { return one.metrics()["plumb_driver_lost_addresses_total"] == 1; }, 5s));
  CHECK_MESSAGE(says(one.log(), "has it now"), one.log());
  CHECK_FALSE(has());
  CHECK(pings(client, kAddress));
  CHECK_FALSE(claimants(wire.frames(), kAddress).contains(one.mac_of("look")));
  REQUIRE(two.docker({"stop", "-t", "0", "web"}) == "");
  CHECK(becomes(has, 10s));
  CHECK(one.inside("look", {"ip", "route"}) == routes);
  CHECK(pings(client, kAddress));
  CHECK(says(one.log(), "is its own again"));
}

TEST_CASE("a cable that is out for a moment: the address is in doubt, said and counted, and its own again") {
  DriverOn one("n1", {.metrics = true});
  DriverOn two("n2", {.metrics = true});
  for (auto* driver : {&one, &two}) REQUIRE(driver->network("svclan", kNetwork) == "");
  REQUIRE(one.run("web", {"--network", "svclan", "--ip", kAddress}) == "");
  REQUIRE(two.run("web", {"--network", "svclan", "--ip", "10.0.3.34"}) == "");
  CHECK(pings(Node("client"), kAddress));
  lab({"cut", "n1"});
  lab({"mend", "n1"});
  CHECK(becomes([&] { return one.metrics()["plumb_driver_doubts_total"] > 0; }, 5s));
  CHECK(becomes([&] { return says(one.log(), "address " + kAddress + " is its own again"); }, 10s));
  CHECK_MESSAGE(says(one.log(), "its uplink has lost its carrier: off its link until it is known"), one.log());
  CHECK(pings(Node("client"), kAddress));
  CHECK(one.metrics()["plumb_driver_lost_addresses_total"] == 0);
  CHECK(two.metrics()["plumb_driver_doubts_total"] == 0);
  CHECK_FALSE(says(two.log(), "off its link"));
}

}  // namespace
}  // namespace plumb::lab
