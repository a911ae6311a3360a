#include "specs/value/ip_name.h"

#include <doctest/doctest.h>

using plumb::IpName;

TEST_CASE("a name of ipname is an address or a host name, and keeps what it was parsed to") {
  const auto address = IpName::parse("2001:DB8:0::3").value();
  REQUIRE(address.address() != nullptr);
  CHECK(address.host() == nullptr);
  CHECK(*address.address() == plumb::IpAddress::parse("2001:db8::3").value());
  CHECK(address.to_string() == "2001:db8::3");
  const auto host = IpName::parse("db.example.com").value();
  CHECK(host.address() == nullptr);
  REQUIRE(host.host() != nullptr);
  CHECK(*host.host() == "db.example.com");
  CHECK(host.to_string() == "db.example.com");
  CHECK(address != host);
  for (const auto* bad : {"", "10.0.3.300", "a b", "10.0.3.3/24"}) CHECK_MESSAGE(!IpName::parse(bad).has_value(), bad);
}
