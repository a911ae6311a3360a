// On a kernel without a kind of devices its tests say so and end.
#include "netns/link/upper_link.h"

#include <doctest/doctest.h>

#include <cerrno>

#include "netns/address/address.h"
#include "netns/link/link.h"
#include "netns/socket/namespace_id.h"
#include "tests/netns/lan.h"

namespace plumb::netns {
namespace {

using test::cidr;
using test::ifname;
using test::ip;
using test::mac;
using test::macvlan_on;
using test::must;

bool lacks(std::string_view kind) {
  auto node = test::make_node();
  if (must(knows_kind(node.socket, kind))) return false;
  MESSAGE("skipped: this kernel has no devices of kind " << std::string(kind));
  return true;
}

TEST_CASE("a macvlan is made complete in its namespace") {
  test::Lan lan;
  auto host = lan.plug();
  auto target = test::make_node();
  auto spec = macvlan_on(host.eth0.index);
  spec.mac = mac("02:00:0a:00:03:03");
  spec.mtu = 1400;
  const auto link = must(create_macvlan(host.socket, target.socket, spec));
  CHECK(link.name.str() == "eth0");
  CHECK(link.kind == "macvlan");
  CHECK(link.macvlan_mode == "bridge");
  CHECK(link.mac == spec.mac);
  CHECK(link.mtu == 1400);
  CHECK(link.up);
  CHECK(link.carrier);
  CHECK(link.parent_index == host.eth0.index);
  CHECK(link.parent_namespace == must(namespace_id(target.socket, host.socket.ns())));
  CHECK(link.parent_namespace);
  CHECK_FALSE(must(namespace_id(target.socket, test::make_node().socket.ns())));
  CHECK(link.index == must(find_link(target.socket, ifname("eth0"))).value().index);
  // Nothing of it shows on the host: the parent is the only eth0 there.
  for (const auto& other : must(links(host.socket))) CHECK(other.kind != "macvlan");
}

TEST_CASE("a macvlan takes the parent's MTU and a random MAC by default, and can be left down") {
  test::Lan lan;
  auto host = lan.plug();
  auto target = test::make_node();
  auto spec = macvlan_on(host.eth0.index);
  spec.up = false;
  const auto link = must(create_macvlan(host.socket, target.socket, spec));
  CHECK(link.mtu == host.eth0.mtu);
  CHECK(link.mac);
  CHECK(link.mac != host.eth0.mac);
  CHECK_FALSE(link.up);
  CHECK_FALSE(link.carrier);
}

TEST_CASE("a taken name is refused, and the kind of its holder named") {
  test::Lan lan;
  auto host = lan.plug();
  auto target = test::make_node();
  must(create_macvlan(host.socket, target.socket, macvlan_on(host.eth0.index)));
  const auto before = must(links(target.socket)).size();
  const auto again = create_macvlan(host.socket, target.socket, macvlan_on(host.eth0.index));
  CHECK(again.error().kind == ErrorKind::exists);
  CHECK(again.error().code == EEXIST);
  CHECK(again.error().next.find("macvlan") != std::string::npos);
  CHECK(must(links(target.socket)).size() == before);
}

TEST_CASE("a missing parent is not found, nor is one of another namespace") {
  test::Lan lan;
  auto host = lan.plug();
  auto target = test::make_node();
  const auto missing = create_macvlan(host.socket, target.socket, macvlan_on(4711));
  CHECK(missing.error().kind == ErrorKind::not_found);
  CHECK(missing.error().what.find("4711") != std::string::npos);
  // The index counts in the first socket's namespace only: the host's eth0 is no device of an empty namespace.
  auto empty = test::make_node();
  CHECK(create_macvlan(empty.socket, target.socket, macvlan_on(host.eth0.index + 1000)).error().kind ==
        ErrorKind::not_found);
  CHECK_FALSE(must(find_link(target.socket, ifname("eth0"))));
}

TEST_CASE("a bridge port cannot be a parent") {
  test::Lan lan;
  auto host = lan.plug();
  auto target = test::make_node();
  const auto port = must(find_link(lan.bridge().socket, ifname(host.port))).value();
  const auto refused = create_macvlan(lan.bridge().socket, target.socket, macvlan_on(port.index));
  CHECK(refused.error().code == EBUSY);
  CHECK(refused.error().kind == ErrorKind::refused);
  CHECK(refused.error().next.find("bridge") != std::string::npos);
}

TEST_CASE("a larger MTU than the parent's is refused") {
  test::Lan lan;
  auto host = lan.plug();
  auto target = test::make_node();
  auto spec = macvlan_on(host.eth0.index);
  spec.mtu = host.eth0.mtu + 1;
  const auto refused = create_macvlan(host.socket, target.socket, spec);
  CHECK(refused.error().kind == ErrorKind::refused);
  CHECK(refused.error().next.find(std::to_string(host.eth0.mtu)) != std::string::npos);
  CHECK_FALSE(must(find_link(target.socket, ifname("eth0"))));
}

TEST_CASE("a MAC in use on the parent, a multicast MAC, and lo as a parent are refused") {
  test::Lan lan;
  auto host = lan.plug();
  auto target = test::make_node();
  auto spec = macvlan_on(host.eth0.index);
  spec.mac = host.eth0.mac;
  const auto taken = create_macvlan(host.socket, target.socket, spec);
  CHECK(taken.error().kind == ErrorKind::refused);
  CHECK(taken.error().next.find(host.eth0.mac->to_string()) != std::string::npos);
  spec.mac = mac("01:00:5e:00:00:01");
  CHECK(create_macvlan(host.socket, target.socket, spec).error().kind == ErrorKind::refused);
  const auto on_lo = create_macvlan(host.socket, target.socket, macvlan_on(1));
  CHECK(on_lo.error().kind == ErrorKind::refused);
  CHECK(on_lo.error().next.find("loopback") != std::string::npos);
  CHECK_FALSE(must(find_link(target.socket, ifname("eth0"))));
}

TEST_CASE("a parent that is down gives a link without carrier, until it comes up") {
  test::Lan lan;
  auto host = lan.plug();
  auto target = test::make_node();
  must(set_up(host.socket, host.eth0.index, false));
  const auto made = create_macvlan(host.socket, target.socket, macvlan_on(host.eth0.index));
  REQUIRE(made.has_value());
  CHECK_FALSE(made->carrier);
}

TEST_CASE("a macvlan on a macvlan is on the latter's parent") {
  test::Lan lan;
  auto host = lan.plug();
  auto first = test::make_node();
  auto second = test::make_node();
  const auto lower = must(create_macvlan(host.socket, first.socket, macvlan_on(host.eth0.index)));
  const auto upper = must(create_macvlan(first.socket, second.socket, macvlan_on(lower.index)));
  CHECK(upper.parent_index == host.eth0.index);
  CHECK(upper.carrier);
}

TEST_CASE("a device name of 15 bytes is whole, 16 is no name") {
  test::Lan lan;
  auto host = lan.plug();
  auto target = test::make_node();
  auto spec = macvlan_on(host.eth0.index);
  spec.name = ifname("abcdefghijklmno");
  CHECK(must(create_macvlan(host.socket, target.socket, spec)).name == spec.name);
  CHECK_FALSE(IfName::parse("abcdefghijklmnop"));
}

TEST_CASE("the kernel is asked which kinds of devices it knows, and nothing is made") {
  auto node = test::make_node();
  CHECK(must(knows_kind(node.socket, "macvlan")));
  CHECK_FALSE(must(knows_kind(node.socket, "no-such-kind")));
  for (const auto kind : {"ipvlan", "vlan"}) [[maybe_unused]] const auto either = must(knows_kind(node.socket, kind));
  CHECK(must(links(node.socket)).size() == 1);
}

TEST_CASE("ipvlans of each mode are made complete, and in l2 the LAN reaches them at the parent's MAC") {
  if (lacks("ipvlan")) return;
  struct Mode {
    IpvlanMode mode;
    const char* word;
  };
  for (const auto& one : {Mode{IpvlanMode::l2, "l2"}, Mode{IpvlanMode::l3, "l3"}, Mode{IpvlanMode::l3s, "l3s"}}) {
    const auto mode = one.mode;
    const std::string word = one.word;
    CAPTURE(word);
    test::Lan lan;
    auto host = lan.plug();
    auto client = lan.plug({"10.0.3.9/24"});
    auto target = test::make_node();
    const auto link =
        must(create_ipvlan(host.socket, target.socket, {host.eth0.index, ifname("eth0"), mode, 1400, true}));
    CHECK(link.kind == "ipvlan");
    CHECK(link.ipvlan_mode == word);
    CHECK(link.mac == host.eth0.mac);
    CHECK(link.mtu == 1400);
    CHECK(link.up);
    CHECK(link.parent_index == host.eth0.index);
    must(add_address(target.socket, link.index, cidr("10.0.3.3/24"), {}));
    if (mode == IpvlanMode::l2) CHECK(test::resolve(client, client.eth0.index, ip("10.0.3.3")) == host.eth0.mac);
  }
}

TEST_CASE("a device is parent of macvlans or of ipvlans, and the refusal says so") {
  if (lacks("ipvlan")) return;
  test::Lan lan;
  auto host = lan.plug();
  auto target = test::make_node();
  must(create_macvlan(host.socket, target.socket, {host.eth0.index, ifname("eth0"), {}, {}, true}));
  const auto refused =
      create_ipvlan(host.socket, target.socket, {host.eth0.index, ifname("eth1"), IpvlanMode::l2, {}, true});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == ErrorKind::refused);
  CHECK(refused.error().next.find("macvlan") != std::string::npos);
}

TEST_CASE("frames of a vlan device reach the same tag and no other") {
  if (lacks("vlan")) return;
  test::Lan lan;
  auto one = lan.plug();
  auto other = lan.plug();
  auto third = lan.plug();
  const auto here = must(create_vlan(one.socket, {one.eth0.index, ifname("eth0.42"), 42, 7}));
  CHECK(here.kind == "vlan");
  CHECK(here.vlan_id == 42);
  CHECK(here.group == 7);
  CHECK(here.up);
  CHECK(here.parent_index == one.eth0.index);
  const auto there = must(create_vlan(other.socket, {other.eth0.index, ifname("v42"), 42, 0}));
  const auto elsewhere = must(create_vlan(third.socket, {third.eth0.index, ifname("v43"), 43, 0}));
  must(add_address(one.socket, here.index, cidr("10.0.42.1/24"), {}));
  must(add_address(other.socket, there.index, cidr("10.0.42.2/24"), {}));
  must(add_address(third.socket, elsewhere.index, cidr("10.0.42.3/24"), {}));
  CHECK(test::resolve(one, here.index, ip("10.0.42.2")) == there.mac);
  CHECK_FALSE(test::resolve(one, here.index, ip("10.0.42.3")));
  const auto again = create_vlan(other.socket, {other.eth0.index, ifname("v42b"), 42, 0});
  REQUIRE_FALSE(again);
  CHECK(again.error().kind == ErrorKind::exists);
  CHECK(again.error().next.find("another name") != std::string::npos);
}

}  // namespace
}  // namespace plumb::netns
