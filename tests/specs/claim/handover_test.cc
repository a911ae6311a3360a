#include "specs/claim/handover.h"

#include <doctest/doctest.h>

using namespace plumb::claim;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

using Taken = HandoverTaker::State;

constexpr Time kBegin{seconds{100}};
constexpr std::uint64_t kNumber = 7;

// Until then; how often it has asked.
unsigned pass(HandoverTaker& taker, Time& now, Time until) {
  unsigned asked = 0;
  for (;;) {
    if (taker.take_request()) ++asked;
    if (taker.is_over() || taker.next() > until) break;
    now = taker.next();
    taker.tick(now);
  }
  now = until;
  return asked;
}

}  // namespace

TEST_CASE("who wants the addresses asks five times at once, then each second, and takes them on a word for it") {
  Time now = kBegin;
  HandoverTaker taker(now, kNumber, false, {});
  CHECK(pass(taker, now, now + milliseconds{45}) == 5);
  CHECK(taker.state() == Taken::asking);
  CHECK(pass(taker, now, now + milliseconds{3010}) == 3);
  CHECK(taker.state() == Taken::waiting);
  taker.hear_withdrawn(kNumber + 1);
  CHECK(pass(taker, now, now) == 0);
  CHECK(taker.state() == Taken::waiting);
  taker.hear_withdrawn(kAnybody);  // given to who asks now
  CHECK(pass(taker, now, now) == 1);
  CHECK(taker.state() == Taken::waiting);
  taker.hear_withdrawn(kNumber);
  CHECK(taker.state() == Taken::given);
}

TEST_CASE("silence is no word: who hears nothing takes nothing, however often nobody answers") {
  Time now = kBegin;
  HandoverTaker taker(now, kNumber, false, {});
  for (int second = 0; second < 35; ++second) {
    pass(taker, now, now + seconds{1});
    taker.look(now, false);
    CHECK(taker.state() == Taken::waiting);
  }
  // Then at once, not when it would have asked again.
  CHECK(taker.next() == kBegin + milliseconds{50} + kHandoverSilence);
  pass(taker, now, now + milliseconds{50});
  CHECK(taker.state() == Taken::abandoned);
}

TEST_CASE("an owner that answers is waited for as long as there is time") {
  Time now = kBegin;
  HandoverTaker taker(now, kNumber, false, Time(seconds{60}));
  for (int second = 0; second < 59; ++second) {
    pass(taker, now, now + seconds{1});
    taker.look(now, true);
    REQUIRE(taker.state() == Taken::waiting);
  }
  pass(taker, now, now + seconds{2});
  CHECK(taker.state() == Taken::refused);
}

TEST_CASE("by force nobody is waited for who does not yield at once") {
  Time now = kBegin;
  HandoverTaker taker(now, kNumber, true, {});
  CHECK(pass(taker, now, now + milliseconds{45}) == 5);
  CHECK(taker.state() == Taken::asking);
  SUBCASE("nobody yields") {
    pass(taker, now, now + milliseconds{10});
    CHECK(taker.state() == Taken::forced);
  }
  SUBCASE("somebody does") {
    taker.hear_withdrawn(kNumber);
    CHECK(taker.state() == Taken::given);
  }
}

TEST_CASE("who gives says so to the first who asks, for less time than a question takes") {
  Time now = kBegin;
  HandoverGiver giver(now, kAnybody);
  CHECK(giver.take_word() == kAnybody);
  giver.hear_request(now, kNumber);
  CHECK(giver.take_word() == kNumber);
  giver.hear_request(now, kNumber + 1);
  CHECK_FALSE(giver.take_word());
  unsigned said = 0;
  while (!giver.is_over(now)) {
    now = giver.next();
    giver.tick(now);
    if (const auto word = giver.take_word()) {
      CHECK(*word == kNumber);
      ++said;
    }
  }
  CHECK(said == 3);
  CHECK(now - kBegin < milliseconds{120});
  giver.hear_request(now, kNumber);
  CHECK_FALSE(giver.take_word());
}

TEST_CASE("who is asked says nothing while the addresses may still be on this node") {
  CHECK(HandoverGiver::may_speak(true, false));
  CHECK(HandoverGiver::may_speak(false, true));
  CHECK_FALSE(HandoverGiver::may_speak(false, false));
}
