#include "tests/lab/fault/kill_verbs.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "tests/lab/fault/kill_stride.h"

namespace plumb::lab {
namespace {

constexpr int kKilled = 128 + 9;

// `after` is called with N and what kill_at said of the call, each time that `verb` was killed at its N-th; `prepare`
// before that. Returns how often.
int at_each_call(const Stage& stage, const std::string& verb, const std::function<void()>& prepare,
                 const std::function<void(unsigned long, const std::string&)>& after) {
  const auto every = stride();
  const auto part = part_of_today(every);
  MESSAGE("kills at the calls N with N % ", every, " = ", part, " (PLUMB_KILL_EVERY, PLUMB_KILL_PART)");
  int kills = 0;
  // Parallel threads take a few calls more or less from run to run: it has survived when two in a row did.
  for (unsigned long n = 1, survived = 0; survived < 2; ++n) {
    if (n % every != part) continue;
    prepare();
    // The sanitizer that looks for leaks is a tracer itself, and a program has only one (ptrace(2)).
    const Outcome outcome = stage.plumb(verb, {"env", "ASAN_OPTIONS=detect_leaks=0", PLUMB_KILL_AT, std::to_string(n)});
    if (outcome.exit_code != kKilled) {
      INFO(outcome.err);
      REQUIRE(outcome.exit_code == exit_ok);
      ++survived;
      continue;
    }
    survived = 0;
    ++kills;
    CAPTURE(n);
    after(n, outcome.err);
  }
  MESSAGE(verb, " was killed ", kills, " times");
  return kills;
}

void must_be_whole(const Stage& stage, const Reached& reached) {
  const Outcome again = stage.plumb("start");
  CAPTURE(again.err);
  CHECK(again.exit_code == exit_ok);
  const Outcome status = stage.plumb("status");
  CAPTURE(status.out);
  CHECK(status.exit_code == exit_ok);
  CHECK(reached());
}

void must_clear(const Stage& stage) {
  const Outcome stop = stage.plumb("stop");
  CAPTURE(stop.err);
  CHECK(stop.exit_code == exit_ok);
  CHECK(stage.changed() == "");
}

}  // namespace

void kill_starts(const Stage& stage, int least, const Reached& reached, const std::string& verb) {
  const auto clear = [&] { CHECK(stage.plumb("stop").exit_code == exit_ok); };
  const int kills = at_each_call(stage, verb, clear, [&](unsigned long n, const std::string& call) {
    CAPTURE(call);
    if (n % 2 == 1) must_be_whole(stage, reached);
    must_clear(stage);
  });
  CHECK(kills >= static_cast<int>(3UL * static_cast<unsigned long>(least) / std::max(3UL, stride())));
  must_clear(stage);
}

void kill_starts(const Stage& stage, int least) {
  kill_starts(stage, least, [&] { return stage.answers(); });
}

void kill_stops(const Stage& stage, int least) {
  const auto up = [&] { REQUIRE(stage.plumb("start").exit_code == exit_ok); };
  const int kills = at_each_call(stage, "stop", up, [&](unsigned long, const std::string& call) {
    CAPTURE(call);
    must_clear(stage);
  });
  CHECK(kills >= static_cast<int>(3UL * static_cast<unsigned long>(least) / std::max(3UL, stride())));
  must_clear(stage);
}

}  // namespace plumb::lab
