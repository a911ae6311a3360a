#include "plugin/node/bridge_port.h"

#include <doctest/doctest.h>

#include "netns/link/link.h"
#include "tests/netns/lan.h"

using namespace plumb;

TEST_CASE("the node's end of a link has a name of its own for each device, long ones that begin alike among them") {
  const auto ns = netns::Namespace::current().value();
  const auto name = [&](const char* device) { return service_port_name(ns, device).value().str(); };
  CHECK(name("eth0").ends_with(".eth0"));
  CHECK(name("eth0") != name("eth1"));
  CHECK(name("frontend0") != name("frontend1"));
  CHECK(name("frontend0") == name("frontend0"));
  CHECK(name("frontend0123456").size() <= 15);
}

TEST_CASE("the ports of a bridge are told apart by their names, and those without a carrier bring nobody") {
  netns::test::Lan lan;
  auto& node = lan.bridge().socket;
  std::string bridge;
  const auto links = netns::links(node).value();
  for (const auto& link : links)
    if (link.kind == "bridge") bridge = link.name.str();
  CHECK_FALSE(has_other_ports(node, bridge, {}).value());
  const auto one = lan.plug();
  auto two = lan.plug();
  CHECK(has_other_ports(node, bridge, {}).value());
  CHECK(has_other_ports(node, bridge, {one.port}).value());
  CHECK_FALSE(has_other_ports(node, bridge, {one.port, two.port}).value());
  REQUIRE(netns::set_up(two.socket, two.eth0.index, false));
  CHECK_FALSE(has_other_ports(node, bridge, {one.port}).value());
  CHECK_FALSE(has_other_ports(node, "nosuch0", {}).value());
}
