#include "plugin/node/unix_address.h"

#include <doctest/doctest.h>

#include <string>

using namespace plumb;

TEST_CASE("a path is a socket's address up to 107 bytes") {
  CHECK(kLongestSocketPath == 107);
  CHECK(UnixAddress::of_path("/run/a.sock").has_value());
  CHECK(UnixAddress::of_path("a").has_value());
  CHECK(UnixAddress::of_path(std::string(107, 'a')).has_value());
  CHECK_FALSE(UnixAddress::of_path(std::string(108, 'a')));
  CHECK_FALSE(UnixAddress::of_path(""));
  CHECK_FALSE(UnixAddress::of_path(std::string("a\0b", 3)));
}

TEST_CASE("an abstract name is one up to 106 bytes, and its address is as long as it") {
  const auto address = UnixAddress::of_abstract("plumb");
  REQUIRE(address);
  CHECK(address->size() == sizeof(sa_family_t) + 6);
  CHECK(UnixAddress::of_abstract(std::string(106, 'a')).has_value());
  CHECK_FALSE(UnixAddress::of_abstract(std::string(107, 'a')));
  CHECK_FALSE(UnixAddress::of_abstract(""));
}
