#include "netns/address/address.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <thread>

#include "netns/address/dad.h"
#include "netns/address/route.h"
#include "netns/address/sysctl.h"
#include "netns/wire/arp.h"
#include "netns/wire/ndp.h"
#include "tests/netns/lan.h"

namespace plumb::netns {
namespace {

using test::cidr;
using test::ifname;
using test::ip;
using test::must;

bool has(const std::vector<Address>& all, const Cidr& wanted) {
  return std::any_of(all.begin(), all.end(), [&](const Address& a) { return a.cidr == wanted; });
}

TEST_CASE("an address is added, found and removed: both are idempotent") {
  test::Lan lan;
  auto host = lan.plug();
  for (const char* text : {"10.0.3.3/24", "10.0.3.4/32", "10.0.4.1/31", "fd00:3::3/64", "fd00:3::4/128"}) {
    CAPTURE(text);
    const Cidr wanted = cidr(text);
    const Family family = wanted.address().is_v6() ? Family::v6 : Family::v4;
    const Family other = wanted.address().is_v6() ? Family::v4 : Family::v6;
    CHECK(must(add_address(host.socket, host.eth0.index, wanted)) == Added::created);
    CHECK(must(add_address(host.socket, host.eth0.index, wanted)) == Added::present);
    CHECK(has(must(addresses(host.socket, host.eth0.index)), wanted));
    CHECK(has(must(addresses(host.socket, 0, family)), wanted));
    CHECK_FALSE(has(must(addresses(host.socket, 0, other)), wanted));
    CHECK_FALSE(has(must(addresses(host.socket, 1)), wanted));
    must(remove_address(host.socket, host.eth0.index, wanted));
    CHECK_FALSE(has(must(addresses(host.socket, host.eth0.index)), wanted));
    must(remove_address(host.socket, host.eth0.index, wanted));
  }
}

TEST_CASE("an address with another prefix is another address") {
  test::Lan lan;
  auto host = lan.plug({"10.0.3.3/24"});
  CHECK(must(add_address(host.socket, host.eth0.index, cidr("10.0.3.3/16"))) == Added::created);
  must(remove_address(host.socket, host.eth0.index, cidr("10.0.3.3/16")));
  CHECK(has(must(addresses(host.socket, host.eth0.index)), cidr("10.0.3.3/24")));
}

TEST_CASE("a device that is not there takes no address and has none") {
  auto node = test::make_node();
  CHECK(add_address(node.socket, 4711, cidr("10.0.3.3/24")).error().kind == ErrorKind::not_found);
  CHECK(add_address(node.socket, 4711, cidr("fd00:3::3/64")).error().kind == ErrorKind::not_found);
  CHECK(must(addresses(node.socket, 4711)).empty());
  must(remove_address(node.socket, 4711, cidr("10.0.3.3/24")));
  must(remove_address(node.socket, 4711, cidr("fd00:3::3/64")));
}

TEST_CASE("flags: permanent, secondary") {
  test::Lan lan;
  auto host = lan.plug({"10.0.3.3/24", "10.0.3.4/24"});
  const auto all = must(addresses(host.socket, host.eth0.index, Family::v4));
  REQUIRE(all.size() == 2);
  CHECK(all[0].permanent);
  CHECK_FALSE(all[0].secondary);
  CHECK(all[1].secondary);
  CHECK_FALSE(all[0].tentative);
}

TEST_CASE("an IPv6 address that is to be no source is there for good, and not preferred") {
  test::Lan lan;
  auto host = lan.plug();
  must(add_address(host.socket, host.eth0.index, cidr("fd00:3::3/64"), {.nodad = true, .no_source = true}));
  must(add_address(host.socket, host.eth0.index, cidr("fd00:3::4/64"), {.nodad = true}));
  for (const auto& one : must(addresses(host.socket, host.eth0.index, Family::v6))) {
    if (one.cidr.address().is_link_local()) continue;
    CHECK(one.deprecated == (one.cidr == cidr("fd00:3::3/64")));
    CHECK(one.permanent);
  }
}

TEST_CASE("removing a primary leaves its secondaries, their routes, and the sysctl as they were") {
  test::Lan lan;
  for (const int promote : {0, 1}) {
    CAPTURE(promote);
    auto host = lan.plug({"10.0.3.3/24", "10.0.3.4/24"});
    const SysctlValue value{Sysctl::promote_secondaries, promote};
    must(write_sysctls(host.ns, ifname("eth0"), std::span(&value, 1)));
    Route way{.destination = default_destination(false), .gateway = ip("10.0.3.1"), .metric = {}, .source = {}};
    way.ifindex = host.eth0.index;
    must(replace_route(host.socket, way));
    must(remove_address(host.socket, host.eth0.index, cidr("10.0.3.3/24")));
    const auto left = must(addresses(host.socket, host.eth0.index, Family::v4));
    REQUIRE(left.size() == 1);
    CHECK(left[0].cidr == cidr("10.0.3.4/24"));
    CHECK_FALSE(left[0].secondary);
    CHECK(must(read_sysctl(host.ns, ifname("eth0"), Sysctl::promote_secondaries)) == promote);
    const auto all = must(routes(host.socket));
    CHECK(std::any_of(all.begin(), all.end(), [](const Route& r) { return r.is_default(); }));
  }
}

TEST_CASE("an IPv6 address where IPv6 is off is an error that says so") {
  test::Lan lan;
  auto host = lan.plug();
  const SysctlValue off{Sysctl::disable_ipv6, 1};
  must(write_sysctls(host.ns, ifname("eth0"), std::span(&off, 1)));
  const auto refused = add_address(host.socket, host.eth0.index, cidr("fd00:3::3/64"));
  CHECK(refused.error().kind == ErrorKind::unsupported);
  CHECK(refused.error().next.find("disable_ipv6") != std::string::npos);
}

// Duplicate address detection as a user has it by default.
void enable_dad(test::Station& host) {
  const SysctlValue on{Sysctl::accept_dad, 1};
  must(write_sysctls(host.ns, ifname("eth0"), std::span(&on, 1)));
}

TEST_CASE("wait_dad waits until an address is no longer tentative") {
  test::Lan lan;
  auto host = lan.plug();
  enable_dad(host);
  const Cidr wanted = cidr("fd00:3::3/64");
  must(add_address(host.socket, host.eth0.index, wanted));
  const auto tentative = [&] {
    const auto all = must(addresses(host.socket, host.eth0.index, Family::v6));
    return std::any_of(all.begin(), all.end(), [&](const Address& a) { return a.cidr == wanted && a.tentative; });
  };
  CHECK(tentative());
  must(wait_dad(host.socket, host.eth0.index, wanted.address(), test::soon()));
  CHECK_FALSE(tentative());
}

TEST_CASE("an address without detection is usable at once") {
  test::Lan lan;
  auto host = lan.plug();
  enable_dad(host);
  must(add_address(host.socket, host.eth0.index, cidr("fd00:3::3/64"), {.nodad = true}));
  must(wait_dad(host.socket, host.eth0.index, ip("fd00:3::3"), std::chrono::steady_clock::now()));
  must(add_address(host.socket, host.eth0.index, cidr("10.0.3.3/24")));
  must(wait_dad(host.socket, host.eth0.index, ip("10.0.3.3"), std::chrono::steady_clock::now()));
}

TEST_CASE("one address is asked for among others, on its own device only") {
  test::Lan lan;
  auto host = lan.plug({"10.0.3.3/24", "fd00:3::3/64"});
  const int device = host.eth0.index;
  for (int i = 0; i < 100; ++i) must(add_address(host.socket, device, cidr("10.0.4." + std::to_string(i + 1) + "/24")));
  CHECK(must(has_address(host.socket, device, ip("10.0.3.3"))));
  CHECK(must(has_address(host.socket, device, ip("10.0.4.77"))));
  CHECK(must(has_address(host.socket, device, ip("fd00:3::3"))));
  CHECK_FALSE(must(has_address(host.socket, device, ip("10.0.4.111"))));
  CHECK_FALSE(must(has_address(host.socket, device, ip("10.0.3.255"))));  // the broadcast address is local, too
  CHECK_FALSE(must(has_address(host.socket, device, ip("fd00:3::4"))));
  CHECK_FALSE(must(has_address(host.socket, device, ip("127.0.0.2"))));  // lo answers for it
  CHECK_FALSE(must(has_address(host.socket, device + 1000, ip("10.0.3.3"))));
  // On two devices: the kernel would tell of one of them.
  must(add_address(host.socket, 1, cidr("10.0.4.77/32")));
  CHECK(must(has_address(host.socket, device, ip("10.0.4.77"))));
  CHECK(must(has_address(host.socket, 1, ip("10.0.4.77"))));
  must(remove_address(host.socket, device, cidr("10.0.4.77/24")));
  CHECK_FALSE(must(has_address(host.socket, device, ip("10.0.4.77"))));
}

TEST_CASE("a duplicate is a conflict") {
  test::Lan lan;
  auto owner = lan.plug({"fd00:3::3/64"});
  auto host = lan.plug();
  // The owner answers by now: its stack joins the group of a new address a moment later.
  auto witness = lan.plug({"fd00:3::9/64"});
  REQUIRE(test::resolve(witness, witness.eth0.index, ip("fd00:3::3")) == owner.eth0.mac);
  enable_dad(host);
  must(add_address(host.socket, host.eth0.index, cidr("fd00:3::3/64")));
  const auto duplicate = wait_dad(host.socket, host.eth0.index, ip("fd00:3::3"), test::soon());
  REQUIRE_FALSE(duplicate);
  CHECK(duplicate.error().kind == ErrorKind::conflict);
  // Not tentative, dadfailed: a second look says the same without waiting.
  CHECK(wait_dad(host.socket, host.eth0.index, ip("fd00:3::3"), std::chrono::steady_clock::now()).error().kind ==
        ErrorKind::conflict);
}

TEST_CASE("wait_dad ends on a missing address, a removal, a deadline and a stop") {
  test::Lan lan;
  auto host = lan.plug();
  enable_dad(host);
  CHECK(wait_dad(host.socket, host.eth0.index, ip("fd00:3::3"), test::soon()).error().kind == ErrorKind::not_found);
  must(add_address(host.socket, host.eth0.index, cidr("fd00:3::3/64")));
  CHECK(wait_dad(host.socket, host.eth0.index, ip("fd00:3::3"), std::chrono::steady_clock::now()).error().kind ==
        ErrorKind::timeout);
  std::stop_source stop;
  stop.request_stop();
  CHECK(wait_dad(host.socket, host.eth0.index, ip("fd00:3::3"), test::soon(), stop.get_token()).error().kind ==
        ErrorKind::cancelled);
  auto remover = must(RouteSocket::open(host.ns));
  Result<void> waited;
  {
    std::jthread waiter([&] { waited = wait_dad(host.socket, host.eth0.index, ip("fd00:3::3"), test::soon()); });
    must(remove_address(remover, host.eth0.index, cidr("fd00:3::3/64")));
  }
  CHECK(waited.error().kind == ErrorKind::not_found);
}

}  // namespace
}  // namespace plumb::netns
