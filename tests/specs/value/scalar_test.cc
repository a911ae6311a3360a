#include "specs/value/scalar.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace std::chrono_literals;

namespace {

std::vector<std::string> words(std::string_view text) {
  const auto split = plumb::split_words(text);
  REQUIRE_FALSE(split.unterminated.has_value());
  std::vector<std::string> out;
  for (const auto& word : split.words) out.push_back(word.text);
  return out;
}

using List = std::vector<std::string>;

}  // namespace

TEST_CASE("booleans") {
  for (const auto* yes : {"true", "True", "TRUE", "yes", "on", "1", "t", "Y"})
    CHECK(plumb::parse_bool(yes).value() == true);
  for (const auto* no : {"false", "No", "off", "0", "f", "n"}) CHECK(plumb::parse_bool(no).value() == false);
  for (const auto* bad : {"", "2", "tru", "oui", " true"}) CHECK_FALSE(plumb::parse_bool(bad).has_value());
}

TEST_CASE("integers") {
  CHECK(plumb::parse_integer("0", 0, 9).value() == 0);
  CHECK(plumb::parse_integer("4294967295", 0, 4294967295U).value() == 4294967295U);
  for (const auto* bad : {"", "-1", "+1", "1x", " 1", "0x1", "4294967296", "1.0"})
    CHECK_FALSE(plumb::parse_integer(bad, 0, 4294967295U).has_value());
  CHECK_FALSE(plumb::parse_integer("10", 0, 9).has_value());
  CHECK_FALSE(plumb::parse_integer("1", 2, 9).has_value());
}

TEST_CASE("durations") {
  CHECK(plumb::parse_duration("10").value() == 10s);
  CHECK(plumb::parse_duration("0").value() == 0s);
  CHECK(plumb::parse_duration("10s").value() == 10s);
  CHECK(plumb::parse_duration("2m").value() == 2min);
  CHECK(plumb::parse_duration("1h30m").value() == 90min);
  CHECK(plumb::parse_duration("1h1m1s1ms").value() == 1h + 1min + 1s + 1ms);
  CHECK(plumb::parse_duration("500ms").value() == 500ms);
  CHECK(plumb::parse_duration("1.5s").value() == 1500ms);
  CHECK(plumb::parse_duration("0.001s").value() == 1ms);
  CHECK(plumb::parse_duration("1.50m").value() == 90s);
  CHECK(plumb::parse_duration("1.0ms").value() == 1ms);
  CHECK(plumb::parse_duration("2d").value() == 48h);
  CHECK(plumb::parse_duration("1w").value() == 168h);
  CHECK(plumb::parse_duration("3650d").value() == 87600h);
  for (const auto* bad : {"",
                          "s",
                          "-1s",
                          "+1s",
                          "1x",
                          "1 s",
                          "1s ",
                          "1.s",
                          ".5s",
                          "1.5",
                          "1h30",
                          "30 1h",
                          "0.0001s",
                          "1us",
                          "1ns",
                          "3651d",
                          "9223372036854775807w",
                          "99999999999999999999s",
                          "1e3s",
                          "1s1"})
    CHECK_MESSAGE(!plumb::parse_duration(bad).has_value(), bad);
}

TEST_CASE("words are split as a shell would") {
  CHECK(words("") == List{});
  CHECK(words("  \t\n ") == List{});
  CHECK(words("a b\tc\nd") == List{"a", "b", "c", "d"});
  CHECK(words("'a b' \"c d\"") == List{"a b", "c d"});
  CHECK(words("a'b'\"c\"") == List{"abc"});
  CHECK(words("'' \"\"") == List{"", ""});
  CHECK(words("a\\ b \\'") == List{"a b", "'"});
  CHECK(words("'a\\b'") == List{"a\\b"});
  CHECK(words("\"a\\\"b\\n\\$\"") == List{"a\"b\\n$"});
  CHECK(words("$HOME `x` $(y)") == List{"$HOME", "`x`", "$(y)"});
  CHECK(words("a\\\nb") == List{"ab"});
  CHECK(words("\"a\\\nb\"") == List{"ab"});
  CHECK(words("# no comment") == List{"#", "no", "comment"});
}

TEST_CASE("words know where they begin") {
  const auto split = plumb::split_words("  ab 'c d'  e");
  REQUIRE(split.words.size() == 3);
  CHECK(split.words[0].offset == 2);
  CHECK(split.words[1].offset == 5);
  CHECK(split.words[2].offset == 12);
}

TEST_CASE("an unterminated quote or a last backslash is found") {
  CHECK(plumb::split_words("a 'b").unterminated == 2);
  CHECK(plumb::split_words("a \"b\\\"").unterminated == 2);
  CHECK(plumb::split_words("a\\").unterminated == 1);
  CHECK_FALSE(plumb::split_words("a\\\\").unterminated.has_value());
}
