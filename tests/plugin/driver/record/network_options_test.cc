#include <doctest/doctest.h>

#include "plugin/driver/record/network_options.h"

using namespace plumb;
using driver::MacPolicy;
using driver::parse_options;

namespace {

using Options = std::map<std::string, std::string>;

// Options with a parent.
Options with(const Options& more) {
  Options out{{"parent", "eth0"}};
  for (const auto& [name, value] : more) out[name] = value;
  return out;
}

IpResource link_of(const Options& more) {
  const auto parsed = parse_options(with(more));
  if (!parsed) MESSAGE(parsed.error().what);
  REQUIRE(parsed);
  return parsed->link;
}

std::string refusal(const Options& options) {
  const auto parsed = parse_options(options);
  REQUIRE_FALSE(parsed);
  CHECK(parsed.error().kind == ErrorKind::spec);
  return parsed.error().what;
}

bool says(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("a parent is all that a network needs") {
  const auto parsed = parse_options({{"parent", "eth0"}});
  REQUIRE(parsed);
  CHECK(parsed->link.ipdev == "eth0");
  CHECK(parsed->link.type == IpType::netns);
  CHECK(parsed->link.mode == IpMode::automatic);
  CHECK(parsed->link.conflict == ConflictPolicy::fail);
  CHECK(parsed->link.probe == ProbeProfile::fast);
  CHECK(parsed->link.announce.count == 5);
  CHECK_FALSE(parsed->link.mtu);
  CHECK_FALSE(parsed->link.vlan_tag);
  CHECK_FALSE(parsed->link.host_access);
  CHECK(parsed->mac == MacPolicy::random);
}

TEST_CASE("a network without a parent is refused, with an example") {
  CHECK(refusal({}) ==
        "option -o parent: it is not set; say which device of the node leads to the network: -o parent=eth0");
  CHECK(says(refusal({{"parent", ""}}), "it is not set"));
  CHECK(says(refusal({{"parent", "lo"}}), "leads to no network"));
  CHECK(says(refusal({{"parent", "eth0:1"}}), "alias label"));
}

TEST_CASE("the keyword of a spec names the parent too") {
  CHECK(parse_options({{"ipdev", "eth1"}}).value().link.ipdev == "eth1");
  CHECK(parse_options({{"ipdev", "eth1"}, {"parent", "eth1"}}).has_value());
  CHECK(says(refusal({{"ipdev", "eth1"}, {"parent", "eth0"}}), "two names of one option"));
}

TEST_CASE("every option has the values of its keyword") {
  const auto link = link_of({{"mode", "macvlan"},
                             {"mtu", "1400"},
                             {"vlan", "42"},
                             {"conflict", "takeover"},
                             {"probe", "off"},
                             {"announce", "3 1s"},
                             {"host_access", "yes"}});
  CHECK(link.mode == IpMode::macvlan);
  CHECK(link.mtu == 1400U);
  CHECK(link.vlan_tag == 42U);
  CHECK(link.conflict == ConflictPolicy::takeover);
  CHECK(link.probe == ProbeProfile::off);
  CHECK(link.announce.count == 3);
  CHECK(link.announce.interval == milliseconds(1000));
  CHECK(link.host_access);
  CHECK(link_of({{"conflict", "warn"}, {"probe", "rfc"}}).conflict == ConflictPolicy::warn);
  CHECK(link_of({{"vlan_tag", "7"}}).vlan_tag == 7U);
}

TEST_CASE("every mode has its name") {
  CHECK(link_of({{"mode", "bridge"}}).mode == IpMode::bridge);
  CHECK(link_of({{"mode", "ipvlan-l2"}}).mode == IpMode::ipvlan_l2);
  CHECK(link_of({{"mode", "ipvlan-l3"}}).mode == IpMode::ipvlan_l3);
  CHECK(link_of({{"mode", "ipvlan-l3s"}}).mode == IpMode::ipvlan_l3s);
  CHECK(link_of({{"mode", "dedicated"}}).mode == IpMode::dedicated);
  const auto port = link_of({{"mode", "ovs"}, {"vlan", "5"}, {"vlan_mode", "access"}});
  CHECK(port.mode == IpMode::ovs);
  CHECK(port.vlan_mode == "access");
  CHECK(says(refusal(with({{"mode", "macvaln"}})), "did you mean \"macvlan\"?"));
}

TEST_CASE("the options of the engine's own macvlan and ipvlan drivers are understood") {
  CHECK(link_of({{"macvlan_mode", "bridge"}}).mode == IpMode::macvlan);
  CHECK(link_of({{"ipvlan_mode", "l2"}}).mode == IpMode::ipvlan_l2);
  CHECK(link_of({{"ipvlan_mode", "l3s"}}).mode == IpMode::ipvlan_l3s);
  CHECK(link_of({{"ipvlan_mode", "l3"}, {"mode", "ipvlan-l3"}}).mode == IpMode::ipvlan_l3);
  CHECK(says(refusal(with({{"macvlan_mode", "vepa"}})), "the one there is is bridge"));
  CHECK(says(refusal(with({{"macvlan_mode", "bridge"}, {"mode", "ovs"}})), "mode=ovs"));
  CHECK(says(refusal(with({{"ipvlan_mode", "l4"}})), "not one of l2, l3, l3s"));
  CHECK(says(refusal(with({{"ipvlan_mode", "l2"}, {"mode", "macvlan"}})), "contradicts mode=macvlan"));
  CHECK(says(refusal(with({{"ipvlan_mode", "l2"}, {"macvlan_mode", "bridge"}})), "contradicts"));
}

TEST_CASE("labels of the engine are passed over, but for the MTU") {
  CHECK_FALSE(link_of({{"com.docker.network.bridge.name", "x"}}).mtu);
  CHECK(link_of({{"com.docker.network.driver.mtu", "1450"}}).mtu == 1450U);
  CHECK(says(refusal(with({{"com.docker.network.driver.mtu", "0"}})), "option -o com.docker.network.driver.mtu: "));
  CHECK(says(refusal(with({{"com.docker.network.driver.mtu", "1450"}, {"mtu", "1400"}})), "two names"));
}

TEST_CASE("the name of the interface begins as the engine's label says") {
  const std::string label = "com.docker.network.container_iface_prefix";
  CHECK(parse_options(with({}))->interface_prefix == "eth");
  CHECK(parse_options(with({{label, "lan"}}))->interface_prefix == "lan");
  CHECK(parse_options(with({{label, "abcdefghijkl"}}))->interface_prefix == "abcdefghijkl");
  CHECK(says(refusal(with({{label, "abcdefghijklm"}})), "option -o " + label));
  CHECK(says(refusal(with({{label, "a:b"}})), "begins no name of a device"));
}

TEST_CASE("a gateway is an address of a machine, one of each family at most") {
  const auto texts = [](const std::string& value) {
    std::vector<std::string> out;
    const auto parsed = parse_options(with({{"gateway", value}}));
    REQUIRE(parsed);
    for (const auto& gateway : parsed->gateways) out.push_back(gateway.to_string());
    return out;
  };
  CHECK(parse_options(with({}))->gateways.empty());
  CHECK(texts("192.0.2.1") == std::vector<std::string>{"192.0.2.1"});
  CHECK(texts("fe80::1,192.0.2.1") == std::vector<std::string>{"fe80::1", "192.0.2.1"});
  for (const char* wrong : {"router", "192.0.2.1/24", "192.0.2.1,", "0.0.0.0", "224.0.0.1", "::1", "ff02::1"})
    CHECK_MESSAGE(says(refusal(with({{"gateway", wrong}})), "option -o gateway: "), wrong);
  CHECK(says(refusal(with({{"gateway", "192.0.2.1,192.0.2.2"}})), "are of one family"));
  CHECK(says(refusal(with({{"gateway", "192.0.2.1"}, {"mode", "ipvlan-l3"}})), "the node routes"));
}

TEST_CASE("an option that is not known is refused, with the one that was meant") {
  CHECK(refusal(with({{"prob", "off"}})) == "option -o prob: there is no such option; did you mean \"probe\"?");
  CHECK(refusal(with({{"colour", "red"}})) == "option -o colour: there is no such option");
  CHECK(says(refusal(with({{"a\nb", "red"}})), "option -o a\\nb: "));
}

TEST_CASE("a value out of its range is refused by the name that the user wrote") {
  CHECK(refusal(with({{"mtu", "67"}})) == "option -o mtu: \"67\" is not an integer from 68 to 65535");
  CHECK(says(refusal(with({{"vlan_tag", "4095"}})), "option -o vlan_tag: "));
  CHECK(says(refusal(with({{"conflict", "maybe"}})), "not one of fail, warn, takeover"));
  CHECK(says(refusal(with({{"probe", "slow"}})), "option -o probe: "));
  CHECK(says(refusal(with({{"announce", "often"}})), "option -o announce: "));
  CHECK(says(refusal(with({{"host_access", "perhaps"}})), "neither true nor false; write true or false"));
  CHECK(says(refusal(with({{"mac", "fixed"}})), "not one of random, from-ip"));
  CHECK(says(refusal(with({{"mode", "ovs"}, {"vlan_mode", "trunk"}})), "option -o vlan_mode: "));
}

TEST_CASE("options that the mode has no use for are refused") {
  CHECK(parse_options(with({{"mac", "from-ip"}})).value().mac == MacPolicy::from_ip);
  CHECK(says(refusal(with({{"mac", "from-ip"}, {"mode", "ipvlan-l2"}})), "the MAC of its parent"));
  CHECK(says(refusal(with({{"mac", "from-ip"}, {"ipvlan_mode", "l3"}})), "the MAC of its parent"));
  CHECK(says(refusal(with({{"mac", "from-ip"}, {"mode", "dedicated"}})), "keeps its own MAC"));
  CHECK(says(refusal(with({{"vlan", "4"}, {"mode", "bridge"}})), "option -o vlan: not with mode=bridge"));
  CHECK(says(refusal(with({{"vlan", "4"}, {"mode", "dedicated"}})), "name the VLAN device itself"));
  CHECK(says(refusal(with({{"vlan_mode", "access"}})), "add -o mode=ovs"));
  for (const char* mode : {"bridge", "dedicated", "ovs"})
    CHECK(says(refusal(with({{"host_access", "true"}, {"mode", mode}})), "it is for macvlan and ipvlan"));
  CHECK(link_of({{"host_access", "true"}, {"mode", "ipvlan-l3"}}).host_access);
  CHECK(link_of({{"host_access", "true"}}).host_access);
}

TEST_CASE("a VLAN device must have a name that the kernel takes") {
  CHECK(says(refusal({{"parent", "enp0s31f6np0"}, {"vlan", "4001"}}), "too long for a device"));
}
