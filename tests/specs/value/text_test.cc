#include "specs/value/text.h"

#include <doctest/doctest.h>

#include <string>

TEST_CASE("quoted text is printable and bounded") {
  CHECK(plumb::in_quotes("eth0") == "\"eth0\"");
  CHECK(plumb::in_quotes("a\tb\n\x01") == "\"a\\tb\\n\\x01\"");
  CHECK(plumb::in_quotes(std::string(200, 'a')) == "\"" + std::string(80, 'a') + "...\"");
}
