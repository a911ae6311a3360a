#include "specs/language/spelling.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

TEST_CASE("spelling distances") {
  CHECK(plumb::spelling_distance("ipname", "ipname") == 0);
  CHECK(plumb::spelling_distance("ipnme", "ipname") == 1);
  CHECK(plumb::spelling_distance("ipnaem", "ipname") == 1);
  CHECK(plumb::spelling_distance("IPNAME", "ipname") == 0);
  CHECK(plumb::spelling_distance("", "abc") == 3);
}

TEST_CASE("only near names are proposed, the nearest first") {
  const std::vector<std::string> known = {"ipname", "ipdev", "netns", "netmask", "nsdev"};
  CHECK(plumb::nearest_names("ipnam", known, 2) == std::vector<std::string>{"ipname"});
  CHECK(plumb::nearest_names("netmsk", known, 1) == std::vector<std::string>{"netmask"});
  CHECK(plumb::nearest_names("colour", known, 3).empty());
  CHECK(plumb::nearest_names("", known, 3).empty());
  CHECK(plumb::nearest_names(std::string(1000, 'n'), known, 3).empty());
  CHECK(plumb::did_you_mean("ipdve", known) == "did you mean \"ipdev\"?");
  CHECK(plumb::did_you_mean("xyzzy", known).empty());
}
