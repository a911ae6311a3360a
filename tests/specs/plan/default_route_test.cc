#include "specs/plan/default_route.h"

#include <doctest/doctest.h>

#include "tests/specs/plan/svc1.h"

namespace plumb {
namespace {

constexpr const char* kFirst = "10.0.3.1";
constexpr const char* kSecond = "10.0.4.1";

Service two_gateways() {
  Service s = test::svc1();
  IpResource second = s.ips[0];
  second.id = "ip#1";
  second.names = test::ip_names({"10.0.4.3"});
  second.gateway = IpAddress::parse(kSecond).value();
  s.ips.push_back(second);
  return s;
}

ObservedNetns inside(std::vector<ObservedRoute> routes) {
  ObservedNetns ns;
  for (const int number : {0, 1}) {
    ObservedLink link;
    link.index = 5 + number;
    link.name = "eth" + std::to_string(number);
    ns.links.push_back(link);
  }
  ns.routes = std::move(routes);
  return ns;
}

ObservedRoute by(const char* gateway, int link, bool own) {
  return {std::nullopt, IpAddress::parse(gateway).value(), link, false, own};
}

PlannedAddress address(const char* cidr, const char* gateway) {
  return {Cidr::parse(cidr).value(), IpAddress::parse(gateway).value(), false};
}

TEST_CASE("of two links with a gateway each the first one's is the main table's, and each has its own") {
  const Service s = two_gateways();
  CHECK(has_main_route(s, s.ips[0], false));
  CHECK_FALSE(has_main_route(s, s.ips[1], false));
  const auto first = address("10.0.3.3/24", kFirst);
  const auto second = address("10.0.4.3/24", kSecond);
  const auto whole = inside({by(kFirst, 5, false), by(kFirst, 5, true), by(kSecond, 6, true)});
  CHECK(has_planned_route(s, s.ips[0], whole, first));
  CHECK(has_planned_route(s, s.ips[1], whole, second));
  const auto without_main = inside({by(kFirst, 5, true), by(kSecond, 6, true)});
  CHECK_FALSE(has_planned_route(s, s.ips[0], without_main, first));
  CHECK(has_planned_route(s, s.ips[1], without_main, second));
  const auto without_own = inside({by(kFirst, 5, false), by(kSecond, 5, true)});
  CHECK_FALSE(has_planned_route(s, s.ips[0], without_own, first));
  CHECK_FALSE(has_planned_route(s, s.ips[1], without_own, second));
}

TEST_CASE("one link alone, or of another family, has the main table's default route and no table") {
  const Service s = test::svc1();
  CHECK(has_main_route(s, s.ips[0], false));
  CHECK(has_planned_route(s, s.ips[0], inside({by(kFirst, 5, false)}), address("10.0.3.3/24", kFirst)));
  CHECK_FALSE(has_planned_route(s, s.ips[0], inside({by(kFirst, 5, true)}), address("10.0.3.3/24", kFirst)));
  Service dual = two_gateways();
  dual.ips[1].gateway = IpAddress::parse("fd00::1").value();
  CHECK(has_main_route(dual, dual.ips[1], true));
}

}  // namespace
}  // namespace plumb
