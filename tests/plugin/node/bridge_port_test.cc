#include "plugin/node/bridge_port.h"

#include <doctest/doctest.h>

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
