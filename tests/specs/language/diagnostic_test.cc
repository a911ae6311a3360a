#include "specs/language/diagnostic.h"

#include <doctest/doctest.h>

using plumb::Diagnostic;
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
