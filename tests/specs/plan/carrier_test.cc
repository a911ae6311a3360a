#include "specs/plan/carrier.h"

#include <doctest/doctest.h>

namespace plumb {
namespace {

TEST_CASE("a carrier that was lost since it was seen is a flap, one of another device is none") {
  const std::vector<CarrierSeen> before{{"eth0", 2, 1}, {"eth1", 3, 7}};
  CHECK(has_flapped(before, {{"eth0", 2, 2}}));
  CHECK(has_flapped(before, {{"eth0", 2, 1}, {"eth1", 3, 8}}));
  CHECK_FALSE(has_flapped(before, before));
  CHECK_FALSE(has_flapped(before, {{"eth0", 9, 2}}));  // made anew under the same name
  CHECK_FALSE(has_flapped(before, {{"eth2", 4, 5}}));
  CHECK_FALSE(has_flapped({}, before));
}

TEST_CASE("the carriers of an address: its uplink's, and those of a bridge's ports to the LAN") {
  Observed seen;
  const auto add = [&](int index, const std::string& name, int bridge, std::uint32_t downs) -> ObservedLink& {
    ObservedLink link;
    link.index = index;
    link.name = name;
    link.master = bridge;
    link.carrier_downs = downs;
    return seen.node.links.emplace_back(std::move(link));
  };
  add(1, "br0", 0, 1);
  add(2, "eth0", 1, 4);
  add(3, "veth7", 1, 9).alias = "plumb web ip#0";
  add(4, "eth1", 0, 5);
  IpResource ip;
  ip.type = IpType::netns;
  ip.mode = IpMode::bridge;
  ip.ipdev = "br0";
  CHECK(carriers_of(ip, seen) == std::vector<CarrierSeen>{{"br0", 1, 1}, {"eth0", 2, 4}});
  ip.ipdev = "eth1";
  CHECK(carriers_of(ip, seen) == std::vector<CarrierSeen>{{"eth1", 4, 5}});
  ip.check_carrier = false;
  CHECK(carriers_of(ip, seen).empty());
}

}  // namespace
}  // namespace plumb
