#include "netns/link/carrier.h"

#include <doctest/doctest.h>

#include <thread>

#include "netns/link/link.h"
#include "netns/link/veth.h"
#include "tests/netns/lan.h"

namespace plumb::netns {
namespace {

using test::ifname;
using test::must;

// The target's end is down.
VethPair half_down(test::Node& host, test::Node& target) {
  return must(create_veth(host.socket, target.socket,
                          {.host_name = ifname("h"), .name = ifname("eth0"), .mac = {}, .mtu = {}, .up = false}));
}

TEST_CASE("a veth left down has no carrier on either end, and forces none") {
  auto host = test::make_node();
  auto target = test::make_node();
  const auto pair = half_down(host, target);
  CHECK_FALSE(pair.target.up);
  CHECK_FALSE(pair.host.carrier);
  CHECK_FALSE(must(force_carrier(host.socket, ifname("h"))));
}

TEST_CASE("force_carrier needs a device") {
  auto node = test::make_node();
  CHECK(force_carrier(node.socket, ifname("nothing")).error().kind == ErrorKind::not_found);
}

TEST_CASE("a carrier is waited for by its event, and not for ever") {
  auto host = test::make_node();
  auto target = test::make_node();
  const auto pair = half_down(host, target);
  const auto early =
      wait_carrier(host.socket, pair.host.index, std::chrono::steady_clock::now() + std::chrono::milliseconds(20), {});
  REQUIRE_FALSE(early);
  CHECK(early.error().kind == ErrorKind::timeout);
  std::jthread later([&] { must(set_up(target.socket, pair.target.index)); });
  must(wait_carrier(host.socket, pair.host.index, test::soon(), {}));
}

}  // namespace
}  // namespace plumb::netns
