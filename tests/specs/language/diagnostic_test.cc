#include "specs/language/diagnostic.h"

#include <doctest/doctest.h>

#include "specs/language/spelling.h"

using plumb::Diagnostic;
using plumb::in_quotes;
using plumb::Severity;

TEST_CASE("a diagnostic is rendered as a compiler does") {
  const Diagnostic d{Severity::error,
                     {"svc1.conf", 7, 1},
                     "unknown keyword \"ipnme\" in [ip#0]",
                     "did you mean \"ipname\"?",
                     "ipnme = 10.0.3.3"};
  CHECK(render(d, false) ==
        "svc1.conf:7:1: error: unknown keyword \"ipnme\" in [ip#0]; did you mean \"ipname\"?\n"
        "    ipnme = 10.0.3.3\n"
        "    ^\n");
  const auto coloured = render(d, true);
  CHECK(coloured.find("\x1b[31;1merror:\x1b[0m") != std::string::npos);
  CHECK(coloured.find("\x1b[32;1m^\x1b[0m") != std::string::npos);
}

TEST_CASE("a diagnostic without a place or a line has no caret") {
  CHECK(render(Diagnostic{Severity::warning, {"a.conf", 0, 0}, "nothing", "", "line"}, false) ==
        "a.conf: warning: nothing\n");
  CHECK(render(Diagnostic{Severity::note, {"a.conf", 3, 4}, "nothing", "", ""}, false) ==
        "a.conf:3:4: note: nothing\n");
}

TEST_CASE("the caret stands under the column, whatever is before it") {
  const auto caret = [](const std::string& line, int column) {
    return render(Diagnostic{Severity::error, {"a", 1, column}, "m", "", line}, false);
  };
  CHECK(caret("a\tb", 3) == "a:1:3: error: m\n    a\tb\n     \t^\n");
  // Two bytes, one character.
  CHECK(caret("\xc3\xa9=x", 4) == "a:1:4: error: m\n    \xc3\xa9=x\n      ^\n");
  // Bytes that a terminal would act on are shown, and the caret moves with them.
  CHECK(caret("\x1b[31mx", 6) == "a:1:6: error: m\n    \\x1b[31mx\n            ^\n");
  CHECK(caret("a\xff=x", 3) == "a:1:3: error: m\n    a\\xff=x\n         ^\n");
  CHECK(caret("ab", 99) == "a:1:99: error: m\n    ab\n      ^\n");
}

TEST_CASE("a long line is cut to a window around the column") {
  const std::string line(1000, 'x');
  const auto text = render(Diagnostic{Severity::error, {"a", 1, 500}, "m", "", line}, false);
  CHECK(text.find("    ..." + std::string(110, 'x') + "...\n") != std::string::npos);
  CHECK(text.ends_with("       " + std::string(70, ' ') + "^\n"));
}

TEST_CASE("quoted text is printable and bounded") {
  CHECK(plumb::in_quotes("eth0") == "\"eth0\"");
  CHECK(plumb::in_quotes("a\tb\n\x01") == "\"a\\tb\\n\\x01\"");
  CHECK(plumb::in_quotes(std::string(200, 'a')) == "\"" + std::string(80, 'a') + "...\"");
}

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
