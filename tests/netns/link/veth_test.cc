#include "netns/link/veth.h"

#include <doctest/doctest.h>

#include "netns/link/carrier.h"
#include "netns/link/link.h"
#include "tests/netns/lan.h"

namespace plumb::netns {
namespace {

using test::ifname;
using test::mac;
using test::must;

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

}  // namespace
}  // namespace plumb::netns
