// Links that a kernel may lack, and devices that are moved. On a kernel without a kind its tests say so and end.
#include <doctest/doctest.h>
#include <linux/rtnetlink.h>

#include <cstdlib>
#include <thread>

#include "netns/address/address.h"
#include "netns/link/link.h"
#include "netns/namespace/stop_event.h"
#include "netns/socket/changes.h"
#include "tests/netns/lan.h"

namespace plumb::netns {
namespace {

using test::cidr;
using test::ifname;
using test::ip;
using test::mac;
using test::must;

bool lacks(std::string_view kind) {
  auto node = test::make_node();
  if (must(knows_kind(node.socket, kind))) return false;
  MESSAGE("skipped: this kernel has no devices of kind " << std::string(kind));
  return true;
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

TEST_CASE("a device moves in under another name, with an alias, and comes back") {
  test::Lan lan;
  auto host = lan.plug({"10.0.3.1/24"});
  auto target = test::make_node();
  const auto inside =
      must(move_link(host.socket, target.socket,
                     {host.eth0.index, ifname("front"), "plumb dedicated eth0", mac("02:00:0a:00:03:03"), 1400, true}));
  CHECK(inside.name == ifname("front"));
  CHECK(inside.alias == "plumb dedicated eth0");
  CHECK(inside.mac == mac("02:00:0a:00:03:03"));
  CHECK(inside.mtu == 1400);
  CHECK(inside.up);
  CHECK_FALSE(must(find_link(host.socket, ifname("eth0"))));
  CHECK(must(addresses(target.socket, inside.index, Family::v4)).empty());
  const auto back =
      must(move_link(target.socket, host.socket, {inside.index, ifname("eth0"), {}, host.eth0.mac, {}, false}));
  CHECK(back.name == ifname("eth0"));
  CHECK(back.alias.empty());
  CHECK(back.mac == host.eth0.mac);
  CHECK_FALSE(back.up);
  CHECK(must(links(target.socket)).size() == 1);
}

TEST_CASE("a device that has come home under another name gets its own back in place") {
  test::Lan lan;
  auto host = lan.plug();
  must(set_up(host.socket, host.eth0.index, false));  // as a device is that has changed its namespace
  const auto renamed =
      must(move_link(host.socket, host.socket, {host.eth0.index, ifname("dev7"), "mark", {}, {}, false}));
  const auto back = must(move_link(host.socket, host.socket, {renamed.index, ifname("eth0"), {}, {}, {}, true}));
  CHECK(back.index == host.eth0.index);
  CHECK(back.name == ifname("eth0"));
  CHECK(back.alias.empty());
  CHECK(back.up);
}

TEST_CASE("a physical device comes home when its namespace dies, and its alias tells what it was") {
  const char* spare = std::getenv("PLUMB_SPARE_DEVICE");
  if (spare == nullptr) {
    MESSAGE("skipped: PLUMB_SPARE_DEVICE names no physical device of this namespace that may be moved");
    return;
  }
  auto home = must(RouteSocket::open(must(Namespace::current())));
  const auto device = must(find_link(home, ifname(spare))).value();
  const auto marked = [&]() -> std::optional<Link> {
    for (auto& link : must(links(home)))
      if (link.alias == "plumb dedicated vec0") return std::move(link);
    return std::nullopt;
  };
  const auto changes = must(open_changes(home.ns(), RTMGRP_LINK));
  {
    auto target = test::make_node();
    must(move_link(home, target.socket, {device.index, ifname("eth0"), "plumb dedicated vec0", {}, {}, false}));
    CHECK_FALSE(marked());
  }
  const auto never = must(StopEvent::open({}));
  for (bool late = false; !marked() && !late; drain_changes(changes.get()))
    late = must(never.wait(changes.get(), test::soon(), "wait for the device")) == StopEvent::Woken::deadline;
  const auto back = marked();
  REQUIRE(back);
  CHECK(back->name == ifname("eth0"));
  CHECK_FALSE(back->up);
  const auto renamed = must(move_link(home, home, {back->index, ifname(spare), {}, {}, {}, false}));
  CHECK(renamed.mac == device.mac);
}

TEST_CASE("a move onto a taken name, and one of lo, are refused and move nothing") {
  test::Lan lan;
  auto host = lan.plug();
  auto other = lan.plug();
  const auto taken = move_link(host.socket, other.socket, {host.eth0.index, ifname("eth0"), {}, {}, {}, true});
  REQUIRE_FALSE(taken);
  CHECK(taken.error().kind == ErrorKind::exists);
  CHECK(must(find_link(host.socket, host.eth0.index)));
  auto target = test::make_node();
  const auto lo = move_link(host.socket, target.socket, {1, ifname("lo9"), {}, {}, {}, true});
  REQUIRE_FALSE(lo);
  CHECK(must(find_link(host.socket, 1)));
}

TEST_CASE("further names are added, shown, refused when taken, and removed") {
  test::Lan lan;
  auto host = lan.plug();
  must(add_altname(host.socket, host.eth0.index, "plumb:svc1:ip#0"));
  must(add_altname(host.socket, host.eth0.index, "plumb:svc2:ip#0"));
  CHECK(must(find_link(host.socket, host.eth0.index)).value().altnames ==
        std::vector<std::string>{"plumb:svc1:ip#0", "plumb:svc2:ip#0"});
  const auto again = add_altname(host.socket, host.eth0.index, "plumb:svc1:ip#0");
  REQUIRE_FALSE(again);
  CHECK(again.error().kind == ErrorKind::exists);
  must(remove_altname(host.socket, host.eth0.index, "plumb:svc1:ip#0"));
  must(remove_altname(host.socket, host.eth0.index, "plumb:svc1:ip#0"));
  CHECK(must(find_link(host.socket, host.eth0.index)).value().altnames == std::vector<std::string>{"plumb:svc2:ip#0"});
}

TEST_CASE("a carrier is waited for by its event, and not for ever") {
  auto host = test::make_node();
  auto target = test::make_node();
  const auto pair =
      must(create_veth(host.socket, target.socket,
                       {.host_name = ifname("h"), .name = ifname("eth0"), .mac = {}, .mtu = {}, .up = false}));
  const auto early =
      wait_carrier(host.socket, pair.host.index, std::chrono::steady_clock::now() + std::chrono::milliseconds(20), {});
  REQUIRE_FALSE(early);
  CHECK(early.error().kind == ErrorKind::timeout);
  std::jthread later([&] { must(set_up(target.socket, pair.target.index)); });
  must(wait_carrier(host.socket, pair.host.index, test::soon(), {}));
}

}  // namespace
}  // namespace plumb::netns
