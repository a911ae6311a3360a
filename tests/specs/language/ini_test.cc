#include "specs/language/ini.h"

#include <doctest/doctest.h>

using plumb::Ini;
using plumb::read_ini;

namespace {

// The value of the only entry of the only section, for a text that has them.
std::string value_of(const std::string& line) {
  const Ini ini = read_ini("[s]\n" + line, "f");
  REQUIRE(ini.diagnostics.empty());
  REQUIRE(ini.sections.size() == 1);
  REQUIRE(ini.sections[0].entries.size() == 1);
  return ini.sections[0].entries[0].value;
}

std::string first_error(const std::string& text) {
  const Ini ini = read_ini(text, "f");
  REQUIRE_FALSE(ini.diagnostics.empty());
  const auto& d = ini.diagnostics[0];
  return std::to_string(d.where.line) + ":" + std::to_string(d.where.column) + ": " + d.message;
}

}  // namespace

TEST_CASE("sections, keywords, scopes and their places") {
  const Ini ini = read_ini("# head\n[DEFAULT]\n\n [ip#0] ; the address\n  ipname@n1 =  10.0.3.3\n", "f");
  REQUIRE(ini.diagnostics.empty());
  REQUIRE(ini.sections.size() == 2);
  const auto& ip = ini.sections[1];
  CHECK(ip.name == "ip#0");
  CHECK(ip.where.line == 4);
  CHECK(ip.where.column == 2);
  REQUIRE(ip.entries.size() == 1);
  const auto& e = ip.entries[0];
  CHECK(e.key == "ipname");
  CHECK(e.scope == "n1");
  CHECK(e.where.column == 3);
  CHECK(e.scope_where.column == 10);
  CHECK(e.value == "10.0.3.3");
  CHECK(e.at(0).line == 5);
  CHECK(e.at(0).column == 16);
  CHECK(e.at(3).column == 19);
  CHECK(ini.section("DEFAULT") == &ini.sections[0]);
  CHECK(ini.section("ip#1") == nullptr);
}

TEST_CASE("values") {
  CHECK(value_of("a = b") == "b");
  CHECK(value_of("a=b") == "b");
  CHECK(value_of("a: b") == "b");
  CHECK(value_of("a = b = c") == "b = c");
  CHECK(value_of("a = 2001:db8::1") == "2001:db8::1");
  CHECK(value_of("a =") == "");
  CHECK(value_of("a =   \t ") == "");
  CHECK(value_of("a = b   ") == "b");
  CHECK(value_of("a = caf\xc3\xa9") == "caf\xc3\xa9");
}

TEST_CASE("comments") {
  CHECK(value_of("a = b # c") == "b");
  CHECK(value_of("a = b ; c") == "b");
  CHECK(value_of("a = b\t#c") == "b");
  CHECK(value_of("a = # c") == "");
  CHECK(value_of("a = container#0") == "container#0");
  CHECK(value_of("a = b;c") == "b;c");
  CHECK(value_of("a = sh -c 'x ; y # z'") == "sh -c 'x ; y # z'");
  CHECK(value_of("a = \"x # y\" # z") == "\"x # y\"");
  CHECK(value_of("a = it's # here") == "it's");
  CHECK(value_of("a = x \\; y") == "x \\; y");
  CHECK(value_of("; c\n# c\n   # c\na = b") == "b");
}

TEST_CASE("indented lines continue a value") {
  CHECK(value_of("a = b\n c") == "b\nc");
  CHECK(value_of("a = b\n\n  # between\n\tc # d\n") == "b\nc");
  CHECK(value_of("a =\n  b\n  c") == "b\nc");
  CHECK(value_of("a = b\n  [c]") == "b\n[c]");
  const Ini ini = read_ini("[s]\na = bb\n    cc dd\n", "f");
  const auto& e = ini.sections[0].entries[0];
  CHECK(e.at(0).line == 2);
  CHECK(e.at(3).line == 3);
  CHECK(e.at(3).column == 5);
  CHECK(e.at(6).column == 8);
  CHECK(e.at(99).line == 3);
}

TEST_CASE("keywords that are indented alike do not continue each other") {
  const Ini ini = read_ini("[s]\n  a = b\n  c = d\n", "f");
  CHECK(ini.diagnostics.empty());
  REQUIRE(ini.sections[0].entries.size() == 2);
  CHECK(ini.sections[0].entries[1].key == "c");
}

TEST_CASE("a value that begins on the next line has its place there") {
  const Ini ini = read_ini("[s]\na =\n  b c\n", "f");
  const auto& e = ini.sections[0].entries[0];
  CHECK(e.at(2).line == 3);
  CHECK(e.at(2).column == 5);
}

TEST_CASE("line ends, byte order mark and a missing last newline") {
  CHECK(value_of("a = b\r\n") == "b");
  CHECK(read_ini("\xef\xbb\xbf[s]\na = b", "f").sections.at(0).where.column == 1);
  CHECK(read_ini("", "f").diagnostics.empty());
  CHECK(read_ini("\n\n", "f").sections.empty());
}

TEST_CASE("errors and their places") {
  CHECK(first_error("a = b") == "1:1: keyword \"a\" before the first section");
  CHECK(first_error("[s") == "1:1: section header without a closing ]");
  CHECK(first_error("[ ]") == "1:1: section header without a name");
  CHECK(first_error("[s] x") == "1:5: text after a section header");
  CHECK(first_error("[s]\n\n[s]") == "3:1: second section [s]; the first is at line 1");
  CHECK(first_error("[s]\na = 1\na = 2") == "3:1: \"a\" is set a second time in [s]; the first is at line 2");
  CHECK(first_error("[s]\nhello") == "2:1: a line that is no [section], no keyword = value and no comment");
  CHECK(first_error("[s]\n= b") == "2:1: no keyword before the =");
  CHECK(first_error("[s]\n@n1 = b") == "2:1: no keyword before the @");
  CHECK(first_error("[s]\na@ = b") == "2:2: no scope after the @ of \"a\"");
  CHECK(first_error("[s]\na b = c") == "2:1: white space inside the keyword \"a b\"");
  CHECK(first_error(std::string("[s]\na = \0b", 9)) == "2:5: control byte 0x00 in the text");
  CHECK(first_error("[s]\na = \x7f") == "2:5: control byte 0x7f in the text");
  CHECK(first_error("[s]\na = b\rc") == "2:6: control byte 0x0d in the text");
}

TEST_CASE("the same keyword may be set for several scopes, and in several sections") {
  CHECK(read_ini("[s]\na = 1\na@n1 = 2\na@n2 = 3\n[t]\na = 1\n", "f").diagnostics.empty());
}

TEST_CASE("only well-formed UTF-8 is text") {
  for (const char* bad : {"\x80", "\xc0\xaf", "\xc3", "\xe0\x80\x80", "\xed\xa0\x80", "\xf0\x80\x80\x80",
                          "\xf4\x90\x80\x80", "\xf5", "\xff", "\xe2\x82", "\xc2\x80", "\xc2\x9b"})
    CHECK(first_error(std::string("[s]\na = ") + bad).find("does not begin a printable UTF-8 character") !=
          std::string::npos);
  for (const char* good :
       {"\xc2\xa0", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xf4\x8f\xbf\xbf"})
    CHECK(value_of(std::string("a = ") + good) == good);
}

TEST_CASE("what a refused section or line holds is read for its own errors only") {
  const Ini ini = read_ini("[s]\na = 1\n[s]\na = 2\n  more\nnonsense\n[t]\nb = 1\n", "f");
  REQUIRE(ini.sections.size() == 2);
  CHECK(ini.sections[0].entries.size() == 1);
  CHECK(ini.sections[0].entries[0].value == "1");
  CHECK(ini.diagnostics.size() == 2);
  CHECK(ini.sections[0].damaged == false);
  CHECK(read_ini("[s]\nnonsense\n", "f").sections[0].damaged);
}

TEST_CASE("sizes are bounded") {
  CHECK(first_error(std::string(plumb::kLargestSpec + 1, '\n')).find("more than the 1048576 that a spec may have") !=
        std::string::npos);
  CHECK(read_ini(std::string(plumb::kLargestSpec, '\n'), "f").diagnostics.empty());
  CHECK(first_error("[s]\na = " + std::string(plumb::kLongestLine, 'x')).find("more than the 65536") !=
        std::string::npos);
  CHECK(value_of("a = " + std::string(plumb::kLongestLine - 4, 'x')).size() == plumb::kLongestLine - 4);
}
