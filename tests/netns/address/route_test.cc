#include "netns/address/route.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cerrno>

#include "netns/address/neighbour.h"
#include "tests/netns/lan.h"

namespace plumb::netns {
namespace {

using test::cidr;
using test::ip;
using test::must;

std::vector<Route> defaults(RouteSocket& socket, Family family) {
  auto all = must(routes(socket, {.family = family}));
  all.erase(std::remove_if(all.begin(), all.end(), [](const Route& r) { return !r.is_default(); }), all.end());
  return all;
}

Route default_by(const char* gateway, int ifindex) {
  const IpAddress address = ip(gateway);
  return {.destination = default_destination(address.is_v6()),
          .gateway = address,
          .ifindex = ifindex,
          .metric = {},
          .source = {}};
}

TEST_CASE("a default route is set, replaced and removed") {
  test::Lan lan;
  auto host = lan.plug({"10.0.3.3/24", "fd00:3::3/64"});
  const auto check = [&](Family family, const char* first, const char* second) {
    must(replace_route(host.socket, default_by(first, host.eth0.index)));
    must(replace_route(host.socket, default_by(first, host.eth0.index)));
    auto now = defaults(host.socket, family);
    REQUIRE(now.size() == 1);
    CHECK(now[0].gateway == ip(first));
    CHECK(now[0].ifindex == host.eth0.index);
    CHECK(now[0].table == kMainTable);
    CHECK(now[0].protocol == 4);
    must(replace_route(host.socket, default_by(second, host.eth0.index)));
    now = defaults(host.socket, family);
    REQUIRE(now.size() == 1);
    CHECK(now[0].gateway == ip(second));
    // The one that was replaced is not there, so removing it changes nothing.
    must(remove_route(host.socket, default_by(first, host.eth0.index)));
    CHECK(defaults(host.socket, family).size() == 1);
    must(remove_route(host.socket, now[0]));
    CHECK(defaults(host.socket, family).empty());
    must(remove_route(host.socket, now[0]));
  };
  check(Family::v4, "10.0.3.1", "10.0.3.2");
  check(Family::v6, "fd00:3::1", "fd00:3::2");
}

TEST_CASE("a gateway outside the subnet is refused with the kernel's words and what to do") {
  test::Lan lan;
  auto host = lan.plug({"10.0.3.3/24", "fd00:3::3/64"});
  for (const char* gateway : {"10.9.9.9", "fd00:9::1"}) {
    CAPTURE(gateway);
    const auto refused = replace_route(host.socket, default_by(gateway, host.eth0.index));
    REQUIRE_FALSE(refused);
    CHECK(refused.error().kind == ErrorKind::refused);
    CHECK(refused.error().what.find(gateway) != std::string::npos);
    CHECK(refused.error().next.find(gateway) != std::string::npos);
    CHECK(refused.error().next.find("subnet") != std::string::npos);
  }
  const auto v4 = replace_route(host.socket, default_by("10.9.9.9", host.eth0.index));
  CHECK(v4.error().what.find("Nexthop has invalid gateway") != std::string::npos);
  // On a /32 the gateway is never in the subnet; onlink says that it is meant.
  auto route = default_by("10.9.9.9", host.eth0.index);
  route.onlink = true;
  must(replace_route(host.socket, route));
  CHECK(defaults(host.socket, Family::v4).at(0).onlink);
}

TEST_CASE("a device that is down or missing is an error") {
  test::Lan lan;
  auto host = lan.plug({"10.0.3.3/24"});
  CHECK(replace_route(host.socket, default_by("10.0.3.1", 4711)).error().kind == ErrorKind::not_found);
  must(set_up(host.socket, host.eth0.index, false));
  const auto down = replace_route(host.socket, default_by("10.0.3.1", host.eth0.index));
  REQUIRE_FALSE(down);
  CHECK(down.error().kind == ErrorKind::refused);
  CHECK_FALSE(down.error().next.empty());
}

TEST_CASE("routes are filtered by the kernel: device, table, family") {
  test::Lan lan;
  auto host = lan.plug({"10.0.3.3/24", "fd00:3::3/64"});
  Route special{.destination = cidr("192.0.2.0/24"),
                .gateway = ip("10.0.3.1"),
                .ifindex = host.eth0.index,
                .table = 1000,
                .metric = 7,
                .source = ip("10.0.3.3")};
  must(replace_route(host.socket, special));
  const auto in_table = must(routes(host.socket, {.table = 1000}));
  REQUIRE(in_table.size() == 1);
  CHECK(in_table[0].destination == special.destination);
  CHECK(in_table[0].metric == 7U);
  CHECK(in_table[0].source == ip("10.0.3.3"));
  CHECK(in_table[0].table == 1000);
  for (const auto& route : must(routes(host.socket))) CHECK(route.table == kMainTable);
  CHECK(must(routes(host.socket, {.ifindex = 1})).empty());
  CHECK(must(routes(host.socket, {.ifindex = 4711})).empty());
  CHECK(must(routes(host.socket, {.table = 999})).empty());
  const auto v6 = must(routes(host.socket, {.family = Family::v6, .ifindex = host.eth0.index}));
  CHECK_FALSE(v6.empty());
  for (const auto& route : v6) CHECK(route.destination.address().is_v6());
  must(remove_route(host.socket, special));
  CHECK(must(routes(host.socket, {.table = 1000})).empty());
}

TEST_CASE("the routes that go with an address can be made anew as they are listed, in every table") {
  test::Lan lan;
  auto host = lan.plug({"10.0.3.3/24"});
  const int device = host.eth0.index;
  // The gateway is reached by the route before it.
  const Route way{
      .destination = test::cidr("10.9.9.0/24"), .gateway = {}, .ifindex = device, .metric = {}, .source = {}};
  Route beyond = default_by("10.9.9.1", device);
  Route apart = way;
  apart.table = 77;
  for (const auto& route : {way, beyond, apart}) must(replace_route(host.socket, route));
  const auto lasting = must(lasting_routes(host.socket, Family::v4, device));
  REQUIRE(lasting.size() == 3);  // not the kernel's own, of 10.0.3.0/24
  CHECK_FALSE(lasting[0].gateway);
  CHECK(lasting[2].gateway == ip("10.9.9.1"));
  must(remove_address(host.socket, device, test::cidr("10.0.3.3/24")));
  must(add_address(host.socket, device, test::cidr("10.0.3.3/24")));
  for (const auto& route : lasting) must(replace_route(host.socket, route));
  CHECK(must(lasting_routes(host.socket, Family::v4, device)).size() == 3);
}

TEST_CASE("a route without prefix route can be left out") {
  test::Lan lan;
  auto host = lan.plug();
  must(add_address(host.socket, host.eth0.index, cidr("10.0.3.3/24"), {.noprefixroute = true}));
  CHECK(must(routes(host.socket, {.family = Family::v4})).empty());
  must(replace_route(
      host.socket,
      {.destination = cidr("10.0.3.0/24"), .gateway = {}, .ifindex = host.eth0.index, .metric = {}, .source = {}}));
  CHECK(must(routes(host.socket, {.family = Family::v4})).size() == 1);
}

TEST_CASE("a neighbour entry is read: without one there is none") {
  test::Lan lan;
  auto host = lan.plug({"10.0.3.3/24", "fd00:3::3/64"});
  auto peer = lan.plug({"10.0.3.4/24", "fd00:3::4/64"});
  for (const char* address : {"10.0.3.4", "fd00:3::4"}) {
    CAPTURE(address);
    CHECK_FALSE(must(find_neighbour(host.socket, host.eth0.index, ip(address))));
    CHECK(test::resolve(host, host.eth0.index, ip(address)) == peer.eth0.mac);
    const auto entry = must(find_neighbour(host.socket, host.eth0.index, ip(address))).value();
    CHECK(entry.address == ip(address));
    CHECK(entry.ifindex == host.eth0.index);
    CHECK_FALSE(to_string(entry.state).empty());
  }
  CHECK(find_neighbour(host.socket, 4711, ip("10.0.3.4")).error().kind == ErrorKind::not_found);
}

TEST_CASE("a neighbour entry that is set stays without a question, until it is removed") {
  test::Lan lan;
  auto host = lan.plug({"10.0.3.3/24", "fd00:3::3/64"});
  const Mac other = test::mac("02:00:00:00:00:77");
  for (const char* address : {"10.0.3.77", "fd00:3::77"}) {
    CAPTURE(address);
    for (int times = 0; times < 2; ++times) must(set_neighbour(host.socket, host.eth0.index, ip(address), other));
    const auto entry = must(find_neighbour(host.socket, host.eth0.index, ip(address))).value();
    CHECK(entry.mac == other);
    CHECK(entry.state == NeighbourState::permanent);
    for (int times = 0; times < 2; ++times) must(remove_neighbour(host.socket, host.eth0.index, ip(address)));
    CHECK_FALSE(must(find_neighbour(host.socket, host.eth0.index, ip(address))));
  }
  must(remove_neighbour(host.socket, 4711, ip("10.0.3.77")));
}

TEST_CASE("a socket can be used after a refusal, and reasons do not stick") {
  test::Lan lan;
  auto host = lan.plug({"10.0.3.3/24"});
  CHECK_FALSE(replace_route(host.socket, default_by("10.9.9.9", host.eth0.index)));
  must(replace_route(host.socket, default_by("10.0.3.1", host.eth0.index)));
  const auto missing = set_up(host.socket, 4711);
  CHECK(missing.error().what.find("Nexthop") == std::string::npos);
  CHECK(missing.error().code == ENODEV);
}

}  // namespace
}  // namespace plumb::netns
