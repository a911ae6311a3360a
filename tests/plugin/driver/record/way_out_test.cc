#include <doctest/doctest.h>

#include "plugin/driver/record/way_out.h"

using namespace plumb;
using namespace plumb::driver;

namespace {

IpAddress ip(std::string_view text) { return IpAddress::parse(text).value(); }
Cidr cidr(std::string_view text) { return Cidr::parse(text).value(); }

// "POOL" or "POOL GATEWAY".
NetworkRecord network(const std::vector<std::pair<const char*, const char*>>& subnets) {
  NetworkRecord out;
  for (const auto& [pool, gateway] : subnets)
    out.subnets.push_back({cidr(pool), gateway == nullptr ? std::nullopt : std::optional(ip(gateway)), {}});
  return out;
}

EndpointRecord endpoint(const std::vector<const char*>& addresses, IpMode mode = IpMode::macvlan) {
  EndpointRecord out;
  out.mode = mode;
  for (const char* address : addresses) out.addresses.push_back(cidr(address));
  return out;
}

}  // namespace

TEST_CASE("an address leaves by the gateway of its own subnet, and of the smallest that it is in") {
  const auto two = network({{"10.0.3.0/24", "10.0.3.1"}, {"10.0.4.0/24", "10.0.4.1"}, {"10.0.0.0/16", "10.0.0.1"}});
  CHECK(gateway_of(two, ip("10.0.3.9")) == ip("10.0.3.1"));
  CHECK(gateway_of(two, ip("10.0.4.9")) == ip("10.0.4.1"));
  CHECK(gateway_of(two, ip("10.0.5.9")) == ip("10.0.0.1"));
  CHECK_FALSE(gateway_of(two, ip("10.1.0.9")));
  CHECK_FALSE(gateway_of(two, ip("fd00::9")));
  CHECK(way_out(two, endpoint({"10.0.4.9/24"})).gateway_v4 == ip("10.0.4.1"));
  CHECK_FALSE(gateway_of(network({{"10.0.3.0/24", nullptr}}), ip("10.0.3.9")));
}

TEST_CASE("the engine makes the default routes where it is sure to, and the driver the others") {
  const auto both = network({{"10.0.3.0/24", "10.0.3.1"}, {"fd00::/64", "fd00::1"}});
  const auto one = way_out(both, endpoint({"10.0.3.9/24", "fd00::9/64"}));
  CHECK(one.gateway_v4 == ip("10.0.3.1"));
  CHECK(one.gateway_v6 == ip("fd00::1"));
  CHECK(one.own.empty());
  // An endpoint without IPv4, or a network without its gateway.
  for (const auto& way :
       {way_out(both, endpoint({"fd00::9/64"})), way_out(network({{"10.0.3.0/24", nullptr}, {"fd00::/64", "fd00::1"}}),
                                                         endpoint({"10.0.3.9/24", "fd00::9/64"}))}) {
    CHECK_FALSE(way.gateway_v4);
    CHECK_FALSE(way.gateway_v6);
    REQUIRE(way.own.size() == 1);
    CHECK(way.own[0].destination == cidr("::/0"));
    CHECK(way.own[0].gateway == ip("fd00::1"));
    CHECK_FALSE(way.own[0].onlink);
  }
}

TEST_CASE("the option's gateway counts before a subnet's, and is on the link wherever it is") {
  auto far = network({{"10.0.3.0/24", nullptr}, {"fd00::/64", nullptr}});
  far.parsed.gateways = {ip("192.0.2.1"), ip("fe80::1")};
  const auto way = way_out(far, endpoint({"10.0.3.9/24", "fd00::9/64"}));
  CHECK_FALSE(way.gateway_v4);
  CHECK_FALSE(way.gateway_v6);
  REQUIRE(way.own.size() == 2);
  CHECK(way.own[0].gateway == ip("192.0.2.1"));
  CHECK(way.own[0].onlink);
  CHECK(way.own[1].gateway == ip("fe80::1"));
  CHECK_FALSE(way.own[1].onlink);
  // One that is in the subnet is as any other.
  far.parsed.gateways = {ip("10.0.3.254")};
  CHECK(way_out(far, endpoint({"10.0.3.9/24"})).gateway_v4 == ip("10.0.3.254"));
}

TEST_CASE("where the node routes the way out is the link, and an internal network has none") {
  auto any = network({{"10.0.3.0/24", "10.0.3.1"}, {"fd00::/64", "fd00::1"}});
  const auto way = way_out(any, endpoint({"10.0.3.9/24", "fd00::9/64"}, IpMode::ipvlan_l3));
  CHECK_FALSE(way.gateway_v4);
  CHECK_FALSE(way.gateway_v6);
  REQUIRE(way.own.size() == 2);
  CHECK(way.own[0].destination == cidr("0.0.0.0/0"));
  CHECK_FALSE(way.own[0].gateway);
  CHECK(way.own[1].destination == cidr("::/0"));
  any.internal = true;
  const auto none = way_out(any, endpoint({"10.0.3.9/24", "fd00::9/64"}, IpMode::ipvlan_l3));
  CHECK(none.own.empty());
  CHECK_FALSE(way_out(any, endpoint({"10.0.3.9/24"})).gateway_v4);
}
