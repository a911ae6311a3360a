#include "netns/link/moved_link.h"

#include <doctest/doctest.h>
#include <linux/rtnetlink.h>

#include <cstdlib>

#include "netns/address/address.h"
#include "netns/link/link.h"
#include "netns/namespace/stop_event.h"
#include "netns/socket/changes.h"
#include "tests/netns/lan.h"

namespace plumb::netns {
namespace {

using test::ifname;
using test::mac;
using test::must;

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

}  // namespace
}  // namespace plumb::netns
