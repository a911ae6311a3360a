#include "specs/value/host_name.h"

#include <doctest/doctest.h>

#include <string>

TEST_CASE("host names") {
  for (const auto* good : {"n1", "web.example.com", "web.example.com.", "a-b", "3com.com", "my_node", "x", "1a"})
    CHECK_MESSAGE(plumb::HostName::parse(good).has_value(), good);
  for (const auto* bad :
       {"", ".", "a..b", "-a", "a-", "a b", "10.0.3.300", "10.0.3", "1", "a/b", "a:b", "caf\xc3\xa9", "a.1"})
    CHECK_MESSAGE(!plumb::HostName::parse(bad).has_value(), bad);
  CHECK(plumb::HostName::parse(std::string(63, 'a')).has_value());
  CHECK_FALSE(plumb::HostName::parse(std::string(64, 'a')).has_value());
  std::string longest;
  for (int i = 0; i < 5; ++i) longest += std::string(60, 'a') + ".";
  CHECK_FALSE(plumb::HostName::parse(longest + "a").has_value());
}
