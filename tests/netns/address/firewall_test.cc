#include "netns/address/firewall.h"

#include <doctest/doctest.h>

#include "tests/netns/lan.h"

namespace plumb::netns {
namespace {

TEST_CASE("a namespace without a firewall has no chains") {
  const auto node = test::make_node();
  CHECK(test::must(base_chains(node.ns)).empty());
}

}  // namespace
}  // namespace plumb::netns
