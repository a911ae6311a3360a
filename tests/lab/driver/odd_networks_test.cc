// Odd networks, made by the engine's own macvlan driver and by plumb's, side by side: what one of them refuses, and
// when. A network that plumb makes starts containers, and what it refuses it names.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/lab/driver/driver.h"

namespace plumb::lab {
namespace {

using namespace std::chrono_literals;

enum class Fate { starts, not_made, not_started };

struct Row {
  const char* what;
  Words network;
  Words run;
  Fate own;         // the engine's macvlan
  Fate ours;        // plumb's
  std::string has;  // of plumb's: what it says, or a route or address that the container has
};

constexpr auto kStarts = Fate::starts;
constexpr auto kNotMade = Fate::not_made;
constexpr auto kNotStarted = Fate::not_started;

const Words kIp{"--ip", "10.0.3.40"};
const Words kBothIps{"--ip", "10.0.3.40", "--ip6", "fd00:10:3::40"};

Words with(Words words, const Words& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

Words on(const std::string& subnet, const Words& more = {}) {
  return with({"-o", "parent=eth0", "--subnet", subnet}, more);
}
Words lan(const Words& more = {}) { return on("10.0.3.0/24", more); }
Words both(const Words& more) { return with(lan({"--ipv6", "--subnet", "fd00:10:3::/64"}), more); }
Words parent(const std::string& device) { return {"-o", "parent=" + device, "--subnet", "10.7.0.0/24"}; }
const Words kElsewhere{"--ip", "10.7.0.40"};

std::vector<Row> gateways() {
  return {
      {"one", lan({"--gateway", "10.0.3.1"}), kIp, kStarts, kStarts, "default via 10.0.3.1 dev eth0"},
      {"none: the engine takes the first address for it", lan(), kIp, kStarts, kStarts, "10.0.3.0/24 dev eth0"},
      {"the subnet's own address", lan({"--gateway", "10.0.3.0"}), kIp, kNotMade, kNotMade, "no machine's"},
      {"the broadcast address", lan({"--gateway", "10.0.3.255"}), kIp, kNotMade, kNotMade, "no machine's"},
      {"outside of the subnet", lan({"--gateway", "192.0.2.1"}), kIp, kNotMade, kNotMade, "no matching subnet"},
      {"the same by the option", lan({"-o", "gateway=192.0.2.1"}), kIp, kNotMade, kStarts,
       "default via 192.0.2.1 dev eth0"},
      {"link-local", both({"--gateway", "fe80::1"}), kBothIps, kNotMade, kNotMade, "no matching subnet"},
      {"the same by the option", both({"-o", "gateway=fe80::1"}), kBothIps, kNotMade, kStarts,
       "default via fe80::1 dev eth0"},
      {"link-local beside one of IPv4", both({"--gateway", "10.0.3.1", "-o", "gateway=fe80::1"}), kBothIps, kNotMade,
       kStarts, "default via fe80::1 dev eth0"},
      {"both outside", both({"-o", "gateway=192.0.2.1,2001:db8::1"}), kBothIps, kNotMade, kStarts,
       "default via 2001:db8::1 dev eth0"},
      {"two that contradict each other", lan({"--gateway", "10.0.3.1", "-o", "gateway=10.0.3.2"}), kIp, kNotMade,
       kNotMade, "has the gateway 10.0.3.1 already"},
      {"of a family that the network has not", lan({"-o", "gateway=fe80::1"}), kIp, kNotMade, kNotMade,
       "no subnet of IPv6"},
      {"of IPv6 alone", both({"--gateway", "fd00:10:3::1"}), kBothIps, kStarts, kStarts,
       "default via fd00:10:3::1 dev eth0"},
      {"of both", both({"--gateway", "10.0.3.1", "--gateway", "fd00:10:3::1"}), kBothIps, kStarts, kStarts,
       "default via fd00:10:3::1 dev eth0"},
      {"the first address of an IPv6 subnet", both({"--gateway", "fd00:10:3::"}), kBothIps, kNotMade, kNotMade,
       "-o gateway=fd00:10:3::"},
      {"that of the first of two subnets",
       lan({"--gateway", "10.0.3.1", "--subnet", "10.0.4.0/24", "--gateway", "10.0.4.1"}), kIp, kStarts, kStarts,
       "default via 10.0.3.1 dev eth0"},
      {"that of the second",
       lan({"--gateway", "10.0.3.1", "--subnet", "10.0.4.0/24", "--gateway", "10.0.4.1"}),
       {"--ip", "10.0.4.40"},
       kStarts,
       kStarts,
       "default via 10.0.4.1 dev eth0"},
      {"the container's own address", lan({"--gateway", "10.0.3.40"}), kIp, kNotStarted, kNotStarted,
       "10.0.3.40: it is the network's gateway"},
      {"the container's own, by the option", lan({"-o", "gateway=10.0.3.40"}), kIp, kNotMade, kNotStarted,
       "10.0.3.40: it is the network's gateway"},
      {"internal", lan({"--gateway", "10.0.3.1", "--internal"}), kIp, kStarts, kStarts, "10.0.3.0/24 dev eth0"},
      {"no address", lan({"-o", "gateway=router"}), kIp, kStarts, kNotMade, "option -o gateway"},
  };
}

std::vector<Row> subnets() {
  return {
      {"/30", on("10.0.3.40/30"), {}, kStarts, kStarts, "10.0.3.40/30 dev eth0"},
      {"/31", on("10.0.3.40/31"), {}, kNotMade, kStarts, "10.0.3.40/31 dev eth0"},
      {"/31 with the other one as gateway", on("10.0.3.40/31", {"--gateway", "10.0.3.41"}), kIp, kNotMade, kStarts,
       "default via 10.0.3.41 dev eth0"},
      {"/31 with the first one",
       on("10.0.3.40/31", {"--gateway", "10.0.3.40"}),
       {},
       kNotMade,
       kNotMade,
       "-o gateway=10.0.3.40"},
      {"/31 with the first one by the option",
       on("10.0.3.40/31", {"-o", "gateway=10.0.3.40"}),
       {"--ip", "10.0.3.41"},
       kNotMade,
       kStarts,
       "default via 10.0.3.40 dev eth0"},
      {"/32", on("10.0.3.40/32"), {}, kNotMade, kStarts, "10.0.3.40/32"},
      {"/32 with a gateway",
       on("10.0.3.40/32", {"-o", "gateway=10.0.3.1"}),
       {},
       kNotMade,
       kStarts,
       "default via 10.0.3.1 dev eth0"},
      {"/127", lan({"--ipv6", "--subnet", "fd00:10:3::40/127"}), kIp, kNotStarted, kStarts, "fd00:10:3::40/127"},
      {"/128", lan({"--ipv6", "--subnet", "fd00:10:3::40/128"}), kIp, kNotMade, kStarts, "fd00:10:3::40"},
      {"host bits", on("10.0.3.5/24"), {}, kStarts, kNotMade, "write 10.0.3.0/24"},
      {"everything", on("0.0.0.0/0"), {}, kNotMade, kNotMade, "is every address there is"},
      {"loopback", on("127.0.0.0/24"), {}, kStarts, kNotMade, "no addresses that a machine can have"},
      {"multicast", on("224.0.0.0/24"), {}, kNotStarted, kNotMade, "no addresses that a machine can have"},
      {"link-local", on("169.254.7.0/24"), {}, kStarts, kStarts, "169.254.7.0/24 dev eth0"},
      {"two that overlap", lan({"--subnet", "10.0.3.0/25"}), kIp, kNotMade, kNotMade, "overlapping"},
      {"none", {"-o", "parent=eth0"}, {}, kStarts, kNotMade, "give it with --subnet"},
      {"none of IPv6", lan({"--ipv6"}), kIp, kNotMade, kNotMade, "give it with --subnet 2001:db8:3::/64"},
      {"a range elsewhere", lan({"--ip-range", "10.0.4.0/28"}), {}, kNotMade, kNotMade, "no matching subnet"},
      {"a range with host bits", lan({"--ip-range", "10.0.3.65/28"}), {}, kStarts, kNotMade, "write 10.0.3.64/28"},
      {"a range of one", lan({"--ip-range", "10.0.3.77/32"}), {}, kNotStarted, kStarts, "10.0.3.77/24"},
      {"a range of nobody's", lan({"--ip-range", "10.0.3.255/32"}), {}, kNotMade, kNotMade, "no machine's"},
      {"an auxiliary address by name", lan({"--aux-address", "a=10.0.3.40"}), kIp, kNotStarted, kStarts,
       "10.0.3.40/24"},
      {"the subnet's own address by name", lan(), {"--ip", "10.0.3.0"}, kNotStarted, kNotStarted, "no machine's"},
      {"the broadcast address by name", lan(), {"--ip", "10.0.3.255"}, kNotStarted, kNotStarted, "no machine's"},
  };
}

std::vector<Row> words() {
  const std::string mtu = "com.docker.network.driver.mtu=";
  const std::string prefix = "com.docker.network.container_iface_prefix=";
  return {
      {"packets too small for IPv6", both({"-o", mtu + "1000"}), kBothIps, kStarts, kNotMade, "too small for IPv6"},
      {"small packets", lan({"-o", mtu + "1000"}), kIp, kStarts, kStarts, "10.0.3.40/24"},
      {"packets larger than the parent's", lan({"-o", mtu + "9001"}), kIp, kStarts, kNotMade, "eth0 has 1500"},
      {"an unknown option", lan({"-o", "nonsense=1"}), kIp, kStarts, kNotMade, "there is no such option"},
      {"an unknown option of address management", lan({"--ipam-opt", "nonsense=1"}), kIp, kStarts, kNotMade,
       "--ipam-opt nonsense: there is no such option"},
      {"an interface's name", lan({"-o", prefix + "lan"}), kIp, kStarts, kStarts, "10.0.3.0/24 dev lan0"},
      {"one that is too long", lan({"-o", prefix + "abcdefghijklm"}), kIp, kStarts, kNotMade, "at most 12 bytes"},
      {"one that no device can have", lan({"-o", prefix + "a/b"}), kIp, kStarts, kNotMade, "none of them /"},
      {"another mode of macvlan", lan({"-o", "macvlan_mode=private"}), kIp, kStarts, kNotMade, "macvlan_mode"},
      {"a mode that there is not", lan({"-o", "macvlan_mode=odd"}), kIp, kNotMade, kNotMade, "macvlan_mode"},
  };
}

std::vector<Row> devices() {
  return {
      {"none", {"--subnet", "10.7.0.0/24", "-o", "mode=macvlan"}, kElsewhere, kNotMade, kNotMade, "it is not set"},
      {"absent", parent("nope0"), kElsewhere, kNotMade, kNotMade, "no such device"},
      {"lo", parent("lo"), kElsewhere, kNotMade, kNotMade, "lo leads to no network"},
      {"a label", parent("eth0:1"), kElsewhere, kNotMade, kNotMade, "alias label"},
      {"VLAN 0", parent("eth0.0"), kElsewhere, kNotMade, kNotMade, "no such device"},
      {"VLAN 5000", parent("eth0.5000"), kElsewhere, kNotMade, kNotMade, "no such device"},
      {"a bridge", parent("odd-br"), kElsewhere, kStarts, kStarts, "10.7.0.0/24 dev eth0"},
      {"a bridge's port", parent("odd-port"), kElsewhere, kNotStarted, kNotMade, "it is a port of odd-br"},
      {"a pair's end", parent("odd-end"), kElsewhere, kStarts, kStarts, "10.7.0.0/24 dev eth0"},
      {"a macvlan", parent("odd-upper"), kElsewhere, kStarts, kStarts, "10.7.0.0/24 dev eth0"},
      {"a tunnel", parent("odd-tun"), kElsewhere, kNotStarted, kNotMade, "no Ethernet device"},
      {"without a carrier", parent("odd-tap"), kElsewhere, kStarts, kNotStarted, "has no carrier"},
      {"without a carrier, which does not matter", with(parent("odd-tap"), {"-o", "check_carrier=false"}), kElsewhere,
       kStarts, kStarts, "10.7.0.0/24 dev eth0"},
      {"one that a macvlan has whole", parent("odd-whole"), kElsewhere, kNotStarted, kNotMade, "mode passthru"},
  };
}

// The engine's driver knows nothing of the words that are only plumb's, and passes most of them over.
Words in_words_of_engine(Words network) {
  for (auto word = network.begin(); word != network.end();)
    word = word->starts_with("check_carrier") || *word == "mode=macvlan" ? network.erase(word - 1, word + 1) : word + 1;
  return network;
}

struct Trial {
  Fate fate;
  std::string text;
};

Trial fate_of(const DriverOn& driver, const std::string& name, const Words& how, const Words& network, const Words& run,
              const std::string& has = {}) {
  std::string said =
      driver.docker(with(with({"network", "create", "--label", "plumb.test=driver"}, with(how, network)), {name}));
  if (!said.empty()) return {kNotMade, said};
  said = driver.run(name, with({"--network", name}, run));
  Trial out{said.empty() ? kStarts : kNotStarted, said};
  if (said.empty()) {
    // One of IPv6 alone is made when the engine has done its part.
    const auto looks_so = [&] {
      out.text = driver.inside(name, {"sh", "-c", "ip address; ip route; ip -6 route"});
      return says(out.text, has);
    };
    CHECK(becomes(looks_so, 2s));
    CHECK(driver.remove({name}) == "");
  }
  CHECK(driver.docker({"network", "rm", name}) == "");
  return out;
}

// How each side is asked for its links.
struct Sides {
  Words own{"-d", "macvlan"};
  Words ours{};
};

void compare(const DriverOn& driver, const std::vector<Row>& rows, const Sides& sides = {}) {
  const State before = driver.state();
  for (const auto& row : rows) {
    CAPTURE(row.what);
    // Where plumb alone has a word for it, the engine is not asked.
    const bool option = std::any_of(row.network.begin(), row.network.end(),
                                    [](const std::string& word) { return word.starts_with("gateway="); });
    if (!option) {
      const auto own = fate_of(driver, "own", sides.own, in_words_of_engine(row.network), row.run);
      CHECK_MESSAGE(own.fate == row.own, own.text);
    }
    const auto ours = fate_of(driver, "ours", with({"-d", driver.name(), "--ipam-driver", driver.name()}, sides.ours),
                              row.network, row.run, row.has);
    CHECK_MESSAGE(ours.fate == row.ours, ours.text);
    CHECK_MESSAGE(says(ours.text, row.has), ours.text);
  }
  CHECK(driver.changed(before) == "");
}

TEST_CASE("odd gateways, beside the engine's own macvlan") { compare(DriverOn(), gateways()); }

TEST_CASE("ipvlan: odd gateways, subnets and ranges, beside the engine's own ipvlan") {
  const DriverOn driver;
  if (!driver.node().knows("ipvlan")) {
    MESSAGE("skipped: this kernel has no devices of kind ipvlan");
    return;
  }
  const Sides sides{{"-d", "ipvlan", "-o", "ipvlan_mode=l2"}, {"-o", "mode=ipvlan-l2"}};
  compare(driver, gateways(), sides);
  compare(driver, subnets(), sides);
}

TEST_CASE("odd subnets and ranges, beside the engine's own macvlan") { compare(DriverOn(), subnets()); }

TEST_CASE("odd words, beside the engine's own macvlan") { compare(DriverOn(), words()); }

TEST_CASE("odd devices, beside the engine's own macvlan") {
  const DriverOn driver;
  const auto ip = [&](const std::string& rest) { driver.node().run({"bash", "-c", "ip " + rest}); };
  const auto remove = [&] {
    for (const std::string device : {"odd-upper", "odd-end", "odd-br", "odd-tun", "odd-tap", "odd-whole"})
      ip("link del " + device + " 2>/dev/null");
  };
  remove();
  ip("link add odd-br up type bridge");
  ip("link add odd-end up type veth peer name odd-port");
  ip("link set odd-port up master odd-br");
  driver.node().must({"bash", "-c", "until [[ $(</sys/class/net/odd-br/operstate) == up ]]; do :; done"});
  ip("link add odd-upper up link odd-end type macvlan mode bridge");
  driver.node().must({"bash", "-c", "until [[ $(</sys/class/net/odd-upper/operstate) == up ]]; do :; done"});
  ip("tuntap add dev odd-tun mode tun && ip link set odd-tun up");
  ip("tuntap add dev odd-tap mode tap && ip link set odd-tap up");
  ip("link add odd-whole up type veth peer name odd-w2 && ip link add odd-all link odd-whole type macvlan mode "
     "passthru");
  compare(driver, devices());
  remove();
}

TEST_CASE("a container in two networks: whatever their ways out are, it starts, and each has its own") {
  const DriverOn driver;
  const State before = driver.state();
  REQUIRE(driver.network("both", both({"--gateway", "10.0.3.1", "--gateway", "fd00:10:3::1"})) == "");
  REQUIRE(driver.network("six", {"-o", "parent=eth0", "--subnet", "10.0.5.0/24", "--ipv6", "--subnet", "fd00:10:5::/64",
                                 "--gateway", "fd00:10:5::1"}) == "");
  REQUIRE(driver.network("sixth", {"-o", "parent=eth0", "--subnet", "10.0.6.0/24", "--ipv6", "--subnet",
                                   "fd00:10:6::/64", "--gateway", "fd00:10:6::1"}) == "");
  REQUIRE(driver.network("far", {"-o", "parent=eth0", "--subnet", "10.0.7.0/24", "-o", "gateway=192.0.2.1"}) == "");
  REQUIRE(driver.network("farther", {"-o", "parent=eth0", "--subnet", "10.0.8.0/24", "-o", "gateway=192.0.2.1"}) == "");
  const std::vector<std::string> all{"both", "six", "sixth", "far", "farther"};
  for (const auto& first : all)
    for (const auto& second : all) {
      if (first == second) continue;
      CAPTURE(first);
      CAPTURE(second);
      REQUIRE(driver.run("web", {"--network", first}) == "");
      CHECK(driver.docker({"network", "connect", second, "web"}) == "");
      CHECK(driver.docker({"restart", "-t", "0", "web"}) == "");
      CHECK(driver.inside("web", {"ls", "/sys/class/net"}) == "eth0\neth1\nlo");
      CHECK(driver.remove({"web"}) == "");
    }
  for (const auto& name : all) CHECK(driver.docker({"network", "rm", name}) == "");
  CHECK(driver.changed(before) == "");
}

TEST_CASE("a port that is published is told of in the log, and the container starts") {
  DriverOn driver;
  REQUIRE(driver.network("svclan", lan({"--gateway", "10.0.3.1"})) == "");
  REQUIRE(driver.run("plain", {"--network", "svclan", "--ip", "10.0.3.41"}) == "");
  CHECK_FALSE(says(driver.log(), "-p"));
  REQUIRE(driver.run("web", {"--network", "svclan", "--ip", "10.0.3.40", "-p", "80:80"}) == "");
  CHECK_MESSAGE(says(driver.log(), "publishing a port (-p) has no effect here"), driver.log());
}

}  // namespace
}  // namespace plumb::lab
