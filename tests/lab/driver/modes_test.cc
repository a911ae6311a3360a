// The ways in which the driver makes a container's link, each from the network to its removal: reached, and nothing
// left.
#include <doctest/doctest.h>

#include "tests/lab/driver/driver.h"
#include "tests/lab/extra_port.h"
#include "tests/lab/open_vswitch.h"
#include "tests/lab/service.h"

namespace plumb::lab {
namespace {

const std::string kAddress = "10.0.3.33";
const Words kWeb{"--network", "svclan", "--ip", kAddress};

Words with(Words words, const Words& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

Words on(const std::string& parent, const Words& options = {}) {
  return with({"--subnet", "10.0.3.0/24", "--gateway", "10.0.3.1", "-o", "parent=" + parent}, options);
}

// By ICMP: where Open vSwitch has its datapath in a process, no TCP connection comes about (modes_test.cc).
bool reached() { return pings(Node("client"), kAddress); }

// A container of the network svclan: reached, stopped, started, removed with its network; the node is as it was.
void must_come_and_go(const DriverOn& driver, const Words& network, const std::string& mode) {
  const State before = driver.state();
  REQUIRE(driver.network("svclan", network) == "");
  REQUIRE(driver.run("web", kWeb) == "");
  CHECK(reached());
  CHECK(driver.inside("web", {"ls", "/sys/class/net"}) == "eth0\nlo");
  CHECK(says(driver.inside("web", {"ip", "route"}), "default via 10.0.3.1"));
  REQUIRE(driver.docker({"restart", "-t", "0", "web"}) == "");
  CHECK(reached());
  const std::string records = driver.endpoints();
  CHECK_MESSAGE(says(records, "\"" + mode + "\""), records);
  REQUIRE(driver.docker({"stop", "-t", "0", "web"}) == "");
  CHECK(is_silent(Node("client"), kAddress));
  CHECK(driver.remove({"web"}) == "");
  CHECK(driver.docker({"network", "rm", "svclan"}) == "");
  CHECK(driver.changed(before) == "");
}

TEST_CASE("macvlan is what an Ethernet device gives, also in the words of the engine's own driver") {
  DriverOn driver;
  must_come_and_go(driver, on("eth0"), "macvlan");
  CHECK(driver.network("svclan", on("eth0", {"-o", "macvlan_mode=bridge"})) == "");
}

TEST_CASE("bridge is what a bridge gives: a port of it") {
  DriverOn driver;
  const ExtraPort port("n1", "eth9");
  driver.node().must({"bash", "-c",
                      "ip link add br0 type bridge && ip link set br0 up && ip link set eth9 master br0 && "
                      "ip link set eth9 up && until [[ $(</sys/class/net/br0/operstate) == up ]]; do :; done"});
  must_come_and_go(driver, on("br0"), "bridge");
  REQUIRE(driver.network("svclan", on("br0")) == "");
  {
    const Rival rival({kAddress, "--drop-ping"});
    const State before = driver.state();
    const std::string said = driver.run("web", kWeb);
    CHECK_MESSAGE(says(said, rival.mac() + " answers for it"), said);
    CHECK(driver.changed(before) == "");
  }
  CHECK(driver.run("web", kWeb) == "");
  CHECK(driver.remove({"web"}) == "");
  driver.node().must({"ip", "link", "delete", "br0"});
}

TEST_CASE("dedicated: a device of the node moves into the container, and is what it was afterwards, up or down") {
  DriverOn driver;
  const ExtraPort port("n1", "eth9");
  const Words network = on("eth9", {"-o", "mode=dedicated"});
  for (const std::string state : {"down", "up"}) {
    CAPTURE(state);
    driver.node().must({"ip", "link", "set", "eth9", "mtu", "1480", state});
    const std::string device = port.look();
    must_come_and_go(driver, network, "dedicated");
    CHECK(port.look() == device);
  }
  const std::string device = port.look();
  REQUIRE(driver.network("svclan", network) == "");
  REQUIRE(driver.run_with_mac("web", "svclan", kAddress, "02:00:0a:00:03:99") == "");
  CHECK(port.look().empty());
  CHECK(driver.mac_of("web") == "02:00:0a:00:03:99");
  const std::string second = driver.run("second", {"--network", "svclan", "--ip", "10.0.3.34"});
  CHECK_MESSAGE(says(second, "has a container on eth9 in mode dedicated, and such a device is not shared"), second);
  CHECK(driver.remove({"web"}) == "");
  CHECK(port.look() == device);
  const Rival rival({kAddress, "--drop-ping"});
  const std::string said = driver.run("web", kWeb);
  CHECK_MESSAGE(says(said, rival.mac() + " answers for it"), said);
  CHECK(port.look() == device);
}

TEST_CASE("ovs: a port of the switch, and none when the container has gone") {
  DriverOn driver;
  const OpenVswitch ovs(driver.node());
  if (driver.name() != "plumb") {  // a managed plugin has no programs of the node, and says so
    CHECK(says(driver.network("svclan", on("ovs0", {"-o", "mode=ovs"})), "run ovs-vsctl: it is not installed"));
    return;
  }
  const ExtraPort port("n1", "eth9");
  driver.node().must({"ip", "link", "set", "eth9", "up"});
  ovs.must({"add-port", "ovs0", "eth9"});
  const std::string ports = ovs.must({"list-ports", "ovs0"});
  must_come_and_go(driver, on("ovs0", {"-o", "mode=ovs"}), "ovs");
  CHECK(ovs.must({"list-ports", "ovs0"}) == ports);
  REQUIRE(driver.network("svclan", on("ovs0", {"-o", "mode=ovs", "-o", "vlan=42"})) == "");
  REQUIRE(driver.run("web", kWeb) == "");
  CHECK(is_silent(Node("client"), kAddress));
  CHECK(says(ovs.must({"--columns=tag", "list", "port"}), ": 42\n"));
  CHECK(driver.remove({"web"}) == "");
  CHECK(ovs.must({"list-ports", "ovs0"}) == ports);
  ovs.must({"set", "port", "eth9", "tag=42"});
  {
    const Rival rival({kAddress, "--drop-ping"});
    const std::string said = driver.run("web", kWeb);
    CHECK_MESSAGE(says(said, rival.mac() + " answers for it"), said);
    CHECK(ovs.must({"list-ports", "ovs0"}) == ports);
  }
  CHECK(driver.run("web", kWeb) == "");
  CHECK(reached());
  CHECK(driver.remove({"web"}) == "");
}

TEST_CASE("ipvlan: reached with the node's MAC, which nobody may choose, or refused where the kernel has none") {
  DriverOn driver;
  for (const std::string mode : {"ipvlan-l2", "ipvlan-l3", "ipvlan-l3s"}) {
    CAPTURE(mode);
    const Words network = on("eth0", {"-o", "mode=" + mode});
    if (!driver.node().knows("ipvlan")) {
      const std::string said = driver.network("svclan", network);
      CHECK_MESSAGE(says(said, "option -o mode=" + mode + ": this kernel knows no ipvlan"), said);
      CHECK(driver.records().empty());
    } else if (mode == "ipvlan-l2") {
      must_come_and_go(driver, network, mode);
      REQUIRE(driver.network("svclan", network) == "");
      const std::string said = driver.run_with_mac("web", "svclan", kAddress, "02:00:0a:00:03:99");
      CHECK_MESSAGE(says(said, "an ipvlan has its parent's MAC address"), said);
      // Made before there was any container, and so not refused: its own containers are.
      REQUIRE(driver.network("early", on("eth0", {"-o", "mode=ipvlan-l3"})) == "");
      REQUIRE(driver.run("web", kWeb) == "");
      const std::string late = driver.run("late", {"--network", "early", "--ip", "10.0.3.34"});
      CHECK_MESSAGE(says(late, "a device is one or the other"), late);
      const std::string beside = driver.network("beside", on("eth0", {"-o", "mode=macvlan"}));
      CHECK_MESSAGE(says(beside, "a device is one or the other"), beside);
      REQUIRE(driver.remove({"web"}) == "");
      REQUIRE(driver.docker({"network", "rm", "early"}) == "");
      // Somebody else's on the same device, as a service has it.
      driver.node().must({"ip", "netns", "add", "others"});
      driver.node().must(
          {"ip", "link", "add", "link", "eth0", "name", "ipvl0", "netns", "others", "type", "ipvlan", "mode", "l3"});
      const std::string other = driver.run("web", kWeb);
      CHECK_MESSAGE(says(other, "has ipvlans in mode ipvlan-l3 of a network namespace without a process"), other);
      CHECK(says(driver.node().must({"ip", "-n", "others", "-d", "link", "show", "ipvl0"}), "mode l3 "));
      driver.node().must({"ip", "netns", "delete", "others"});
      REQUIRE(driver.remove({"web"}) == "");
      REQUIRE(driver.docker({"network", "rm", "svclan"}) == "");
    } else {
      REQUIRE(driver.network("svclan", {"--subnet", "10.0.77.0/24", "-o", "parent=eth0", "-o", "mode=" + mode}) == "");
      REQUIRE(driver.run("web", {"--network", "svclan", "--ip", "10.0.77.3"}) == "");
      const Node client("client");
      client.must({"ip", "route", "replace", "10.0.77.3", "via", "10.0.3.11"});
      CHECK(pings(client, "10.0.77.3"));
      client.must({"ip", "route", "delete", "10.0.77.3"});
      CHECK(says(driver.inside("web", {"ip", "route"}), "default dev eth0"));
      // Beside a network with a way out of its own, in either order; a gateway's is the first.
      driver.node().must({"ip", "link", "add", "br0", "up", "type", "bridge"});
      REQUIRE(driver.network("beside", {"--subnet", "10.7.0.0/24", "--gateway", "10.7.0.1", "-o", "parent=br0"}) == "");
      CHECK(driver.docker({"network", "connect", "beside", "web"}) == "");
      CHECK(driver.docker({"restart", "-t", "0", "web"}) == "");
      REQUIRE(driver.remove({"web"}) == "");
      REQUIRE(driver.run("web", {"--network", "beside", "--ip", "10.7.0.3"}) == "");
      CHECK(driver.docker({"network", "connect", "svclan", "web"}) == "");
      CHECK(says(driver.inside("web", {"ip", "route", "get", "192.0.2.1"}), "via 10.7.0.1"));
      REQUIRE(driver.remove({"web"}) == "");
      REQUIRE(driver.docker({"network", "rm", "svclan", "beside"}) == "");
      driver.node().must({"ip", "link", "delete", "br0"});
    }
  }
  const std::string said = driver.network("svclan", on("eth0", {"-o", "mode=ipvlan-l2", "-o", "mac=from-ip"}));
  CHECK_MESSAGE(says(said, "option -o mac: an ipvlan has the MAC of its parent"), said);
}

TEST_CASE("802.1q: the device is made with the first container and goes with the network, or is refused") {
  DriverOn driver;
  const Words network = on("eth0", {"-o", "vlan=42"});
  if (!driver.node().knows("vlan id 5")) {
    for (const Words& options : {network, on("eth0.42")}) {
      const std::string said = driver.network("svclan", options);
      CHECK_MESSAGE(says(said, "this kernel knows no vlan"), said);
    }
    CHECK(driver.records().empty());
    return;
  }
  const Node client("client");
  client.must({"ip", "link", "add", "link", "eth0", "name", "eth0.42", "type", "vlan", "id", "42"});
  client.must({"ip", "link", "set", "eth0.42", "up"});
  client.must({"ip", "route", "replace", kAddress, "dev", "eth0.42"});
  must_come_and_go(driver, network, "macvlan");
  client.must({"ip", "link", "delete", "eth0.42"});
}

TEST_CASE("with host_access the node reaches its containers in both families, and the last one takes the way away") {
  DriverOn driver;
  const Node& node = driver.node();
  const Words both{"--subnet", "10.0.3.0/24", "--ipv6", "--subnet", "fd00:10:3::/64", "-o", "parent=eth0"};
  REQUIRE(driver.network("shut", both) == "");
  REQUIRE(driver.network("open", with(both, {"-o", "host_access=true"})) == "");
  const State before = driver.state();
  REQUIRE(driver.run("web", {"--network", "shut", "--ip", kAddress, "--ip6", "fd00:10:3::33"}) == "");
  CHECK(is_silent(node, kAddress));
  CHECK(is_silent(node, "fd00:10:3::33"));
  REQUIRE(driver.remove({"web"}) == "");

  REQUIRE(driver.run("web", {"--network", "open", "--ip", kAddress, "--ip6", "fd00:10:3::33"}) == "");
  REQUIRE(driver.run("other", {"--network", "open", "--ip", "10.0.3.34", "--ip6", "fd00:10:3::34"}) == "");
  for (const std::string address : {"10.0.3.33", "fd00:10:3::33", "10.0.3.34", "fd00:10:3::34"}) {
    CAPTURE(address);
    CHECK(pings(node, address));
    CHECK(pings(Node("client"), address));
  }
  CHECK(says(driver.inside("web", {"ping", "-c", "1", "-W", "2", "10.0.3.11"}), "1 packets received"));
  REQUIRE(driver.remove({"web"}) == "");
  CHECK(is_silent(node, kAddress));
  CHECK(pings(node, "10.0.3.34"));
  CHECK(pings(node, "fd00:10:3::34"));
  CHECK(says(node.must({"ip", "-br", "link"}), "plh"));
  REQUIRE(driver.remove({"other"}) == "");
  CHECK(driver.changed(before) == "");
  const Rival rival({kAddress, "--drop-ping"});
  CHECK(driver.run("web", {"--network", "open", "--ip", kAddress}) != "");
  CHECK(driver.changed(before) == "");
}

TEST_CASE("a container that is refused does not take the node's way to the service that has the address") {
  const auto spec = edited(shared_engine_spec(), "gateway", "gateway = 10.0.3.1\nhost_access = true");
  DriverOn driver;
  const Service web("web", edited(spec, "image = nginx", "image = nginx\nrm = true"));
  REQUIRE(web.plumb(driver.node(), "start").exit_code == 0);
  const auto ways = [&] { return driver.node().must({"ip", "route", "show", "10.0.3.3"}); };
  const std::string way = ways();
  CHECK(says(way, "10.0.3.3 dev plh"));
  REQUIRE(driver.network("svclan", on("eth0", {"-o", "host_access=true"})) == "");
  const std::string said = driver.run("other", {"--network", "svclan", "--ip", "10.0.3.3"});
  CHECK_MESSAGE(says(said, "answers for it"), said);
  CHECK(ways() == way);
}

}  // namespace
}  // namespace plumb::lab
