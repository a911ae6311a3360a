// Who hears of a container's address on the LAN, and when: announced once it is there, again when the carrier returns,
// and never once it is gone.
#include <doctest/doctest.h>

#include <vector>

#include "tests/lab/capture.h"
#include "tests/lab/driver/driver.h"

namespace plumb::lab {
namespace {

using namespace std::chrono_literals;

const std::string kAddress = "10.0.3.33";
const std::string kAddress6 = "fd00:10:3::33";
const Words kNetwork{"--subnet", "10.0.3.0/24", "--ipv6", "--subnet", "fd00:10:3::/64", "-o", "parent=eth0"};
const Words kWeb{"--network", "svclan", "--ip", kAddress, "--ip6", kAddress6};

// A broadcast that says who has the address, as a request or a reply.
bool announces(const Frame& frame, int operation, const std::string& address = kAddress) {
  const auto arp = frame.arp();
  return arp && arp->claims(address) && arp->target_ip == address && arp->operation == operation &&
         arp->destination == "ff:ff:ff:ff:ff:ff";
}

bool advertises(const Frame& frame) {
  const auto neighbour = frame.neighbour();
  return neighbour && neighbour->type == 136 && neighbour->target == kAddress6 && neighbour->override_flag &&
         neighbour->destination_ip == "ff02::1";
}

bool asks(const Frame& frame) {
  const auto arp = frame.arp();
  const auto neighbour = frame.neighbour();
  return (arp && arp->probes(kAddress)) ||
         (neighbour && neighbour->type == 135 && neighbour->target == kAddress6 && neighbour->sender_ip == "::");
}

using Fits = std::function<bool(const Frame&)>;

Words with(Words words, const Words& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

// When they passed.
std::vector<std::chrono::nanoseconds> times(Capture& wire, const Fits& fits) {
  std::vector<std::chrono::nanoseconds> out;
  for (const auto& frame : wire.frames())
    if (fits(frame)) out.push_back(frame.at);
  return out;
}

// Waits until so many have passed.
bool await_count(Capture& wire, const Fits& fits, std::size_t count, std::chrono::milliseconds deadline) {
  std::size_t seen = 0;
  return wire.await([&](const Frame& frame) { return fits(frame) && ++seen >= count; }, deadline);
}

// The engine's release: 20, 26, 28.
int engine_release(const Node& node) {
  return std::stoi(node.must({"docker", "version", "--format", "{{.Server.Version}}"}));
}

std::string neighbour_of(const Node& node, const std::string& address) {
  return node.must({"ip", "neighbour", "show", address, "dev", "eth0"});
}

TEST_CASE(
    "announced in every form, as often as asked, not before anybody was asked, and a stale cache is right at once") {
  DriverOn driver;
  const Node client("client");
  REQUIRE(driver.network("svclan", with(kNetwork, {"-o", "announce=3 200ms"})) == "");
  for (const auto& address : {kAddress, kAddress6})
    client.must(
        {"ip", "neighbour", "replace", address, "lladdr", "02:de:ad:be:ef:01", "dev", "eth0", "nud", "reachable"});
  Capture wire(client, "eth0");
  REQUIRE(driver.run("web", kWeb) == "");
  const std::vector<Fits> forms{[](const Frame& f) { return announces(f, 1); },
                                [](const Frame& f) { return announces(f, 2); }, advertises};
  for (const auto& form : forms) {
    CHECK(await_count(wire, form, 1, 3s));
  }
  const std::string mac = driver.mac_of("web");
  for (const auto& address : {kAddress, kAddress6}) {
    const std::string entry = neighbour_of(client, address);
    CHECK_MESSAGE(says(entry, mac), entry);
  }
  // From 28 on the engine announces, too, with frames that look as the driver's do, but for replies.
  const bool alone = engine_release(driver.node()) < 28;
  for (std::size_t i = 0; i < forms.size(); ++i) {
    CHECK(await_count(wire, forms[i], 3, 3s));
    // A kernel answers a probe of IPv6 as if it announced (RFC 4861 section 7.2.4), and an owner asks each second.
    const bool ours = (alone && i < 2) || i == 1;
    if (ours) CHECK_FALSE(await_count(wire, forms[i], 4, 500ms));
    const auto when = times(wire, forms[i]);
    REQUIRE(when.size() >= 3);
    if (ours) {
      CHECK(when[1] - when[0] > 150ms);
      CHECK(when[2] - when[1] > 150ms);
    }
    const auto asked = times(wire, asks);
    REQUIRE_FALSE(asked.empty());
    CHECK(asked.front() < when.front());
  }
  for (const auto& frame : wire.frames())
    if (const auto arp = frame.arp(); arp && arp->claims(kAddress)) CHECK(arp->sender_mac == mac);
}

TEST_CASE("an announcement that is none is refused") {
  const DriverOn driver;
  const std::string said = driver.network("svclan", with(kNetwork, {"-o", "announce=0"}));
  CHECK_MESSAGE(says(said, "option -o announce: "), said);
  CHECK(driver.network("svclan", with(kNetwork, {"-o", "announce=1"})) == "");
}

// Engine 20.10 gives the link away only when the container's process is about to run: the driver has made and joined
// the endpoint, and nobody uses it. Engine 28 looks at the devices before it asks for a link.
TEST_CASE("a start that fails after its link was made claims nothing, and leaves nothing") {
  DriverOn driver;
  REQUIRE(driver.network("svclan", kNetwork) == "");
  const State before = driver.state();
  Capture wire(driver.node(), "eth0");
  CHECK(says(driver.run("web", with(kWeb, {"--device", "/dev/nosuch"})), "/dev/nosuch"));
  if (engine_release(driver.node()) < 28) CHECK_FALSE(times(wire, asks).empty());
  for (const auto& frame : wire.frames()) {
    const auto arp = frame.arp();
    CHECK_FALSE_MESSAGE((arp && arp->claims(kAddress)), frame.to_string());
    CHECK_FALSE_MESSAGE(advertises(frame), frame.to_string());
  }
  CHECK(driver.changed(before) == "");
  CHECK(driver.run("web", kWeb) == "");
  CHECK(wire.await([](const Frame& f) { return announces(f, 1); }, 3s));
}

TEST_CASE("announced again when the carrier returns, also by a driver that was killed, but not what has been stopped") {
  DriverOn driver("n1", {.metrics = true});
  const Node client("client");
  // More than once: a switch may not forward yet when the carrier is heard at this end. With gateways, that answer:
  // what was cut off waits until it hears somebody.
  REQUIRE(driver.network("svclan", with(kNetwork, {"--gateway", "10.0.3.1", "--gateway", "fd00:10:3::1", "-o",
                                                   "announce=5 200ms"})) == "");
  REQUIRE(driver.run("web", kWeb) == "");
  REQUIRE(driver.run("other", {"--network", "svclan", "--ip", "10.0.3.34"}) == "");
  driver.kill();
  driver.start();
  const auto web = [](const Frame& f) { return announces(f, 1); };
  const auto other = [](const Frame& f) { return announces(f, 1, "10.0.3.34"); };
  // A cable that is back before the kernel has said that it was out has never been out.
  const auto cut_and_mend = [&] {
    lab({"cut", "n1"});
    driver.node().must(
        {"timeout", "10", "bash", "-c", "until [[ $(</sys/class/net/eth0/operstate) != up ]]; do :; done"});
    lab({"mend", "n1"});
  };
  {
    Capture wire(client, "eth0");
    cut_and_mend();
    CHECK(wire.await(web, 3s));
    CHECK(wire.await(other, 3s));
    CHECK(wire.await(advertises, 3s));
    CHECK(driver.metrics()["plumb_driver_carrier_returns_total"] == 2);
  }
  REQUIRE(driver.docker({"stop", "-t", "0", "web"}) == "");
  Capture wire(client, "eth0");
  cut_and_mend();
  // One loop announces what returns: where the one is heard, the other had its turn.
  CHECK(wire.await(other, 3s));
  CHECK(driver.metrics()["plumb_driver_carrier_returns_total"] == 3);
  for (const auto& frame : wire.frames()) {
    const auto arp = frame.arp();
    CHECK_FALSE_MESSAGE((arp && arp->claims(kAddress)), frame.to_string());
    CHECK_FALSE_MESSAGE(advertises(frame), frame.to_string());
  }
}

}  // namespace
}  // namespace plumb::lab
