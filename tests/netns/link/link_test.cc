#include "netns/link/link.h"

#include <doctest/doctest.h>

#include <cerrno>

#include "netns/address/sysctl.h"
#include "tests/netns/lan.h"

namespace plumb::netns {
namespace {

using test::ifname;
using test::mac;
using test::must;

MacvlanSpec macvlan(int parent) { return {.parent_index = parent, .name = ifname("eth0"), .mac = {}, .mtu = {}}; }

TEST_CASE("lo is described") {
  auto node = test::make_node();
  const auto all = must(links(node.socket));
  REQUIRE(!all.empty());
  CHECK(all.front().name.str() == "lo");
  CHECK(all.front().loopback);
  CHECK(all.front().up);
  CHECK(all.front().carrier);
  CHECK(all.front().mtu == 65536);
  CHECK(all.front().kind.empty());
}

TEST_CASE("what is not there is not found") {
  auto node = test::make_node();
  CHECK_FALSE(must(find_link(node.socket, ifname("nothing"))));
  CHECK_FALSE(must(find_link(node.socket, 4711)));
  CHECK_FALSE(must(find_link(node.socket, 0)));
  CHECK_FALSE(must(find_link(node.socket, -1)));
}

TEST_CASE("a macvlan is made complete in its namespace") {
  test::Lan lan;
  auto host = lan.plug();
  auto target = test::make_node();
  auto spec = macvlan(host.eth0.index);
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
  CHECK(link.parent_elsewhere);
  CHECK(link.index == must(find_link(target.socket, ifname("eth0"))).value().index);
  // Nothing of it shows on the host: the parent is the only eth0 there.
  for (const auto& other : must(links(host.socket))) CHECK(other.kind != "macvlan");
}

TEST_CASE("a macvlan takes the parent's MTU and a random MAC by default, and can be left down") {
  test::Lan lan;
  auto host = lan.plug();
  auto target = test::make_node();
  auto spec = macvlan(host.eth0.index);
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
  must(create_macvlan(host.socket, target.socket, macvlan(host.eth0.index)));
  const auto before = must(links(target.socket)).size();
  const auto again = create_macvlan(host.socket, target.socket, macvlan(host.eth0.index));
  CHECK(again.error().kind == ErrorKind::exists);
  CHECK(again.error().code == EEXIST);
  CHECK(again.error().next.find("macvlan") != std::string::npos);
  CHECK(must(links(target.socket)).size() == before);
}

TEST_CASE("a missing parent is not found, nor is one of another namespace") {
  test::Lan lan;
  auto host = lan.plug();
  auto target = test::make_node();
  const auto missing = create_macvlan(host.socket, target.socket, macvlan(4711));
  CHECK(missing.error().kind == ErrorKind::not_found);
  CHECK(missing.error().what.find("4711") != std::string::npos);
  // The index counts in the first socket's namespace only: the host's eth0 is no device of an empty namespace.
  auto empty = test::make_node();
  CHECK(create_macvlan(empty.socket, target.socket, macvlan(host.eth0.index + 1000)).error().kind ==
        ErrorKind::not_found);
  CHECK_FALSE(must(find_link(target.socket, ifname("eth0"))));
}

TEST_CASE("a bridge port cannot be a parent") {
  test::Lan lan;
  auto host = lan.plug();
  auto target = test::make_node();
  const auto port = must(find_link(lan.bridge().socket, ifname(host.port))).value();
  const auto refused = create_macvlan(lan.bridge().socket, target.socket, macvlan(port.index));
  CHECK(refused.error().code == EBUSY);
  CHECK(refused.error().kind == ErrorKind::refused);
  CHECK(refused.error().next.find("bridge") != std::string::npos);
}

TEST_CASE("a larger MTU than the parent's is refused") {
  test::Lan lan;
  auto host = lan.plug();
  auto target = test::make_node();
  auto spec = macvlan(host.eth0.index);
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
  auto spec = macvlan(host.eth0.index);
  spec.mac = host.eth0.mac;
  const auto taken = create_macvlan(host.socket, target.socket, spec);
  CHECK(taken.error().kind == ErrorKind::refused);
  CHECK(taken.error().next.find(host.eth0.mac->to_string()) != std::string::npos);
  spec.mac = mac("01:00:5e:00:00:01");
  CHECK(create_macvlan(host.socket, target.socket, spec).error().kind == ErrorKind::refused);
  const auto on_lo = create_macvlan(host.socket, target.socket, macvlan(1));
  CHECK(on_lo.error().kind == ErrorKind::refused);
  CHECK(on_lo.error().next.find("loopback") != std::string::npos);
  CHECK_FALSE(must(find_link(target.socket, ifname("eth0"))));
}

TEST_CASE("a parent that is down gives a link without carrier, until it comes up") {
  test::Lan lan;
  auto host = lan.plug();
  auto target = test::make_node();
  must(set_up(host.socket, host.eth0.index, false));
  const auto made = create_macvlan(host.socket, target.socket, macvlan(host.eth0.index));
  REQUIRE(made.has_value());
  CHECK_FALSE(made->carrier);
}

TEST_CASE("a macvlan on a macvlan is on the latter's parent") {
  test::Lan lan;
  auto host = lan.plug();
  auto first = test::make_node();
  auto second = test::make_node();
  const auto lower = must(create_macvlan(host.socket, first.socket, macvlan(host.eth0.index)));
  const auto upper = must(create_macvlan(first.socket, second.socket, macvlan(lower.index)));
  CHECK(upper.parent_index == host.eth0.index);
  CHECK(upper.carrier);
}

TEST_CASE("a device name of 15 bytes is whole, 16 is no name") {
  test::Lan lan;
  auto host = lan.plug();
  auto target = test::make_node();
  auto spec = macvlan(host.eth0.index);
  spec.name = ifname("abcdefghijklmno");
  CHECK(must(create_macvlan(host.socket, target.socket, spec)).name == spec.name);
  CHECK_FALSE(IfName::parse("abcdefghijklmnop"));
}

TEST_CASE("a veth is made with both ends complete, up and on the bridge") {
  test::Lan lan;
  auto target = test::make_node();
  const auto pair = must(create_veth(lan.bridge().socket, target.socket,
                                     {.host_name = ifname("pl-svc1"),
                                      .bridge_index = lan.bridge_index(),
                                      .name = ifname("eth0"),
                                      .mac = mac("02:00:0a:00:03:04"),
                                      .mtu = 1400}));
  CHECK(pair.host.name.str() == "pl-svc1");
  CHECK(pair.host.master == lan.bridge_index());
  CHECK(pair.host.up);
  CHECK(pair.host.mtu == 1400);
  CHECK(pair.target.mac == mac("02:00:0a:00:03:04"));
  CHECK(pair.target.up);
  CHECK(pair.target.carrier);
  CHECK(pair.target.mtu == 1400);
  CHECK(pair.target.parent_index == pair.host.index);
  CHECK(must(force_carrier(lan.bridge().socket, ifname("pl-svc1"))));
  CHECK(must(find_link(lan.bridge().socket, pair.host.index)).value().carrier);
}

TEST_CASE("a veth left down has no carrier on either end, and forces none") {
  auto host = test::make_node();
  auto target = test::make_node();
  const auto pair =
      must(create_veth(host.socket, target.socket,
                       {.host_name = ifname("h"), .name = ifname("eth0"), .mac = {}, .mtu = {}, .up = false}));
  CHECK_FALSE(pair.target.up);
  CHECK_FALSE(pair.host.carrier);
  CHECK_FALSE(must(force_carrier(host.socket, ifname("h"))));
}

TEST_CASE("a veth whose names are taken, whose bridge is none or missing, leaves nothing") {
  test::Lan lan;
  auto host = lan.plug();
  auto target = test::make_node();
  auto& socket = lan.bridge().socket;
  const auto before = must(links(socket)).size();
  const auto spec = [&](const char* name, int bridge) {
    return VethSpec{.host_name = ifname(name), .bridge_index = bridge, .name = ifname("eth0"), .mac = {}, .mtu = {}};
  };
  const auto taken = create_veth(socket, target.socket, spec("br0", lan.bridge_index()));
  CHECK(taken.error().kind == ErrorKind::exists);
  CHECK(taken.error().next.find("br0") != std::string::npos);
  const auto inside = create_veth(socket, host.socket, spec("x", lan.bridge_index()));
  CHECK(inside.error().kind == ErrorKind::exists);
  CHECK(inside.error().next.find("in the namespace") != std::string::npos);
  CHECK(create_veth(socket, target.socket, spec("x", 4711)).error().kind == ErrorKind::not_found);
  const auto no_bridge = create_veth(socket, target.socket, spec("x", 1));
  CHECK(no_bridge.error().kind == ErrorKind::refused);
  CHECK(no_bridge.error().next.find("lo is no bridge") != std::string::npos);
  CHECK(must(links(socket)).size() == before);
  CHECK_FALSE(must(find_link(target.socket, ifname("eth0"))));
}

TEST_CASE("an alias is kept, replaced and removed") {
  test::Lan lan;
  auto host = lan.plug();
  const auto alias = [&] { return must(find_link(host.socket, host.eth0.index)).value().alias; };
  CHECK(alias().empty());
  must(set_alias(host.socket, host.eth0.index, "plumb:svc1/ip#0"));
  CHECK(alias() == "plumb:svc1/ip#0");
  must(set_alias(host.socket, host.eth0.index, "other"));
  CHECK(alias() == "other");
  must(set_alias(host.socket, host.eth0.index, ""));
  CHECK(alias().empty());
  CHECK_FALSE(set_alias(host.socket, host.eth0.index, std::string(256, 'x')));
  CHECK(set_alias(host.socket, 4711, "x").error().kind == ErrorKind::not_found);
}

TEST_CASE("up and down") {
  test::Lan lan;
  auto host = lan.plug();
  must(set_up(host.socket, host.eth0.index, false));
  CHECK_FALSE(must(find_link(host.socket, host.eth0.index)).value().up);
  must(set_up(host.socket, host.eth0.index));
  must(set_up(host.socket, host.eth0.index));
  CHECK(must(find_link(host.socket, host.eth0.index)).value().up);
  CHECK(set_up(host.socket, 4711).error().kind == ErrorKind::not_found);
}

TEST_CASE("a link is removed, and removing it again is a success: lo stays") {
  test::Lan lan;
  auto host = lan.plug();
  auto target = test::make_node();
  const auto link = must(create_macvlan(host.socket, target.socket, macvlan(host.eth0.index)));
  must(remove_link(target.socket, link.index));
  CHECK_FALSE(must(find_link(target.socket, link.index)));
  must(remove_link(target.socket, link.index));
  CHECK(remove_link(target.socket, 1).error().kind == ErrorKind::unsupported);
  // The MAC and the name are free at once: a restart within milliseconds works.
  auto spec = macvlan(host.eth0.index);
  spec.mac = link.mac;
  CHECK(must(create_macvlan(host.socket, target.socket, spec)).mac == link.mac);
}

TEST_CASE("force_carrier needs a device") {
  auto node = test::make_node();
  CHECK(force_carrier(node.socket, ifname("nothing")).error().kind == ErrorKind::not_found);
}

}  // namespace
}  // namespace plumb::netns
