// The parent of a network: what a link takes from it, and what is said where it is missing, down, without a carrier, or
// where an option means nothing.
#include <doctest/doctest.h>

#include "tests/lab/capture.h"
#include "tests/lab/driver/driver.h"
#include "tests/lab/extra_port.h"

namespace plumb::lab {
namespace {

using namespace std::chrono_literals;

const Words kSubnet{"--subnet", "10.0.3.0/24"};
const Words kWeb{"--network", "svclan", "--ip", "10.0.3.33"};

Words with(Words words, const Words& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

Words on(const std::string& parent, const Words& options = {}) {
  return with(with(kSubnet, {"-o", "parent=" + parent}), options);
}

TEST_CASE("the MTU is the parent's, or the one that was asked for, and not more than the parent's") {
  DriverOn driver;
  const ExtraPort port("n1", "eth9");
  driver.node().must({"ip", "link", "set", "eth9", "mtu", "1480", "up"});
  REQUIRE(driver.network("theirs", on("eth9")) == "");
  REQUIRE(driver.network("less", on("eth9", {"-o", "mtu=1400"})) == "");
  REQUIRE(driver.network("label", on("eth9", {"-o", "com.docker.network.driver.mtu=1300"})) == "");
  int last = 50;
  for (const auto& [network, mtu] :
       std::map<std::string, std::string>{{"theirs", "1480"}, {"less", "1400"}, {"label", "1300"}}) {
    const std::string name = network;
    CAPTURE(name);
    REQUIRE(driver.run(name, {"--network", name, "--ip", "10.0.3." + std::to_string(++last)}) == "");
    CHECK(driver.look(name, "mtu") == mtu);
  }
  const std::string said = driver.network("more", on("eth9", {"-o", "mtu=1481"}));
  CHECK_MESSAGE(says(said, "option -o mtu=1481: eth9 has 1480"), said);
  CHECK(driver.network("most", on("eth9", {"-o", "mtu=1480"})) == "");
  driver.node().must({"ip", "link", "set", "eth9", "mtu", "1279"});
  const Words both{"--ipv6", "--subnet", "fd00:10:3::/64"};
  const std::string small = driver.network("small", on("eth9", both));
  CHECK_MESSAGE(says(small, "an MTU of 1279 on eth9 is too small for IPv6"), small);
  driver.node().must({"ip", "link", "set", "eth9", "mtu", "1280"});
  CHECK(driver.network("least", on("eth9", both)) == "");
}

TEST_CASE(
    "the MAC is random and stays with its address, the one that was asked for, or that of the address on every node") {
  DriverOn driver;
  REQUIRE(driver.network("svclan", on("eth0")) == "");
  REQUIRE(driver.run("web", kWeb) == "");
  const std::string first = driver.mac_of("web");
  REQUIRE(driver.remove({"web"}) == "");
  driver.kill();
  driver.start();
  REQUIRE(driver.run("web", kWeb) == "");
  CHECK(driver.mac_of("web") != first);  // what a driver knows of what is gone goes with it
  const std::string second = driver.mac_of("web");
  driver.kill();
  driver.start();
  REQUIRE(driver.docker({"restart", "-t", "0", "web"}) == "");
  CHECK(driver.mac_of("web") == second);
  REQUIRE(driver.remove({"web"}) == "");
  REQUIRE(driver.run("web", kWeb) == "");
  CHECK(driver.mac_of("web") == second);
  REQUIRE(driver.run("other", {"--network", "svclan", "--ip", "10.0.3.35"}) == "");
  CHECK(driver.mac_of("other") != second);
  REQUIRE(driver.run_with_mac("own", "svclan", "10.0.3.34", "02:00:0a:00:03:99") == "");
  CHECK(driver.mac_of("own") == "02:00:0a:00:03:99");
  REQUIRE(driver.remove({"web"}) == "");

  DriverOn other("n2");
  for (const auto* on_node : {&driver, &other}) {
    REQUIRE(on_node->network("same", on("eth0", {"-o", "mac=from-ip"})) == "");
    REQUIRE(on_node->run("same", {"--network", "same", "--ip", "10.0.3.33"}) == "");
    CHECK(on_node->mac_of("same") == "02:70:0a:00:03:21");
    CHECK(pings(Node("client"), "10.0.3.33"));
    REQUIRE(on_node->remove({"same"}) == "");
  }
}

TEST_CASE(
    "a parent that is missing, or no way to a LAN, and an option that means nothing are refused with the remedy") {
  DriverOn driver;
  const auto refused = [&](const Words& options, const std::string& text) {
    const std::string said = driver.network("svclan", options);
    CHECK_MESSAGE(says(said, text), said);
  };
  refused(on("eth7"), "option -o parent=eth7: this node has no such device; `ip link` lists its devices");
  refused(on("lo"), "option -o parent: lo leads to no network");
  refused(kSubnet, "option -o parent: it is not set; say which device");
  refused(on("eth0", {"-o", "hostaccess=true"}),
          "option -o hostaccess: there is no such option; did you mean \"host_access\"?");
  refused(on("eth0", {"-o", "mode=macvlna"}), "did you mean \"macvlan\"?");
  refused(on("eth0", {"-o", "mode=bridge"}), "option -o parent=eth0: it is no bridge");
  refused(on("eth0", {"-o", "mode=dedicated"}), "carries an address of the node");
  refused(on("ovs7", {"-o", "mode=ovs"}), "Open vSwitch");
  CHECK(driver.records().empty());
  CHECK(driver.network("svclan", on("eth0", {"-o", "host_access=true"})) == "");
}

TEST_CASE(
    "the first container on a bridge without a port, whose gateway is silent, keeps its address while it starts") {
  DriverOn driver;
  const Node& n1 = driver.node();
  n1.must({"ip", "link", "add", "br0", "up", "type", "bridge"});
  REQUIRE(driver.network("alone", {"--subnet", "10.7.0.0/24", "--gateway", "10.7.0.1", "-o", "parent=br0"}) == "");
  REQUIRE(driver.run("web", {"--network", "alone", "--ip", "10.7.0.3"}) == "");
  CHECK(says(driver.inside("web", {"ip", "address"}), "10.7.0.3/24"));
  CHECK(says(driver.inside("web", {"ip", "route"}), "default via 10.7.0.1"));
  CHECK_FALSE(says(driver.log(), "10.7.0.3: its LAN can be heard only now"));
  // Somebody comes, who could not hear the question.
  n1.must({"ip", "link", "add", "late0", "up", "master", "br0", "type", "veth", "peer", "name", "late1"});
  n1.must({"ip", "address", "add", "10.7.0.9/24", "dev", "late1"});
  n1.must({"ip", "link", "set", "late1", "up"});
  n1.run({"ping", "-c", "1", "-W", "1", "-I", "late1", "10.7.0.77"});
  CHECK(becomes([&] { return says(driver.log(), "10.7.0.3: its LAN can be heard only now"); }, 5s));
  CHECK(becomes([&] { return says(driver.inside("web", {"ip", "address"}), "10.7.0.3/24"); }, 5s));
  REQUIRE(driver.remove({"web"}) == "");
  n1.must({"ip", "link", "delete", "late0"});
  n1.must({"ip", "link", "delete", "br0"});
}

TEST_CASE("a parent that is down or has no carrier refuses the start, and says how to start all the same") {
  DriverOn driver;
  const ExtraPort port("n1", "eth9");
  const Node lan("lan");
  REQUIRE(driver.network("svclan", on("eth9")) == "");
  REQUIRE(driver.network("patient", on("eth9", {"-o", "check_carrier=false", "-o", "announce=5 200ms"})) == "");
  const State down = driver.state();
  std::string said = driver.run("web", kWeb);
  CHECK_MESSAGE(says(said, "device eth9 is down; bring it up: ip link set eth9 up"), said);
  CHECK(driver.changed(down) == "");

  lan.must({"ip", "link", "set", "n1-eth9", "down"});
  driver.node().must({"ip", "link", "set", "eth9", "up"});
  const State cut = driver.state();
  said = driver.run("web", kWeb);
  CHECK_MESSAGE(says(said, "device eth9 has no carrier"), said);
  CHECK_MESSAGE(says(said, "-o check_carrier=false"), said);
  CHECK(driver.changed(cut) == "");
  REQUIRE(driver.run("patient", {"--network", "patient", "--ip", "10.0.3.33"}) == "");
  CHECK(is_silent(Node("client"), "10.0.3.33"));
  // The LAN hears of it once there is one.
  Capture wire(Node("client"), "eth0");
  lan.must({"ip", "link", "set", "n1-eth9", "up"});
  CHECK(wire.await([](const Frame& f) { return f.arp() && f.arp()->claims("10.0.3.33"); }, 5s));
  CHECK(pings(Node("client"), "10.0.3.33"));
  REQUIRE(driver.remove({"patient"}) == "");
  CHECK(driver.run("web", kWeb) == "");
}

TEST_CASE("a device that only has the name of a VLAN is not that VLAN, and may be a parent by its name") {
  DriverOn driver;
  driver.node().must({"ip", "link", "add", "eth0.61", "up", "type", "veth", "peer", "name", "odd-peer"});
  const std::string said = driver.network("svclan", on("eth0", {"-o", "vlan=61"}));
  CHECK_MESSAGE(says(said, "device eth0.61 is not VLAN 61 on eth0, but another one"), said);
  CHECK(driver.network("svclan", on("eth0.61")) == "");
  CHECK(driver.docker({"network", "rm", "svclan"}) == "");
  driver.node().must({"ip", "link", "delete", "eth0.61"});
}

}  // namespace
}  // namespace plumb::lab
