#include "specs/claim/machine.h"

#include <doctest/doctest.h>

#include <algorithm>

using namespace plumb::claim;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

constexpr std::uint64_t kOther = 7;

// A machine and the time; all that it does is collected.
class Claimed {
 public:
  explicit Claimed(Settings settings = {})
      : machine(
            settings, [this] { return ++chance_; }, [] { return std::uint64_t{1'700'000'000'000}; }) {}

  // Until then, with a gateway that answers each request at once.
  void until(Time when, bool gateway = true) {
    for (;;) {
      collect(gateway);
      const auto next = machine.next();
      if (!next || *next > when) break;
      now = std::max(now, *next);
      machine.tick(now);
    }
    now = when;
  }
  void collect(bool gateway = true) {
    for (auto effects = machine.take(); !effects.empty(); effects = machine.take())
      for (const auto& effect : effects) {
        done.push_back(effect);
        const bool asks = effect.kind == Effect::Kind::probe || effect.kind == Effect::Kind::ask_gateway;
        if (asks && gateway) machine.hear(now, {Heard::Kind::gateway, 1, {}, {}});
      }
  }
  void hear(Heard::Kind kind, Saying saying = {}) {
    machine.hear(now, {kind, kOther, saying, {}});
    collect();
  }
  [[nodiscard]] long count(Effect::Kind kind) const {
    return std::count_if(done.begin(), done.end(), [&](const auto& effect) { return effect.kind == kind; });
  }
  void own() {
    machine.start(now, true);
    machine.ready(now);
    until(now + milliseconds{200});
    REQUIRE(machine.state() == State::owned);
    done.clear();
  }

  Time now{seconds{100}};
  std::vector<Effect> done;

 private:
  std::uint64_t chance_ = 100;

 public:
  Machine machine;
};

Saying saying(std::uint64_t epoch, State state) { return {{epoch, 5, 6}, state}; }

}  // namespace

TEST_CASE("a free address is asked for three times within 120 ms, waits for what needs it, and is announced") {
  Claimed claimed;
  claimed.machine.start(claimed.now, true);
  claimed.until(claimed.now + milliseconds{119});
  CHECK(claimed.machine.state() == State::asking);
  CHECK(claimed.count(Effect::Kind::probe) == 3);
  CHECK(claimed.count(Effect::Kind::put_on) == 0);
  claimed.until(claimed.now + milliseconds{2});
  CHECK(claimed.machine.state() == State::reserved);
  claimed.until(claimed.now + seconds{1});
  CHECK(claimed.count(Effect::Kind::put_on) == 0);
  CHECK(claimed.count(Effect::Kind::probe) > 20);
  claimed.machine.ready(claimed.now);
  claimed.until(claimed.now + milliseconds{2500});
  CHECK(claimed.machine.state() == State::owned);
  CHECK(claimed.count(Effect::Kind::put_on) == 1);
  CHECK(claimed.count(Effect::Kind::announce) == 4);
}

TEST_CASE("an address that a kernel answers for is not claimed, while it is asked for and while it is reserved") {
  for (const auto wait : {milliseconds{50}, milliseconds{500}}) {
    Claimed claimed;
    claimed.machine.start(claimed.now, true);
    claimed.until(claimed.now + wait);
    claimed.hear(Heard::Kind::use);
    CHECK(claimed.machine.state() == State::lost);
    claimed.machine.ready(claimed.now);
    claimed.until(claimed.now + seconds{10});
    CHECK(claimed.count(Effect::Kind::put_on) == 0);
  }
}

TEST_CASE("who asks while the address is reserved is answered by a probe") {
  Claimed claimed;
  claimed.machine.start(claimed.now, true);
  claimed.until(claimed.now + milliseconds{130});
  REQUIRE(claimed.machine.state() == State::reserved);
  claimed.done.clear();
  claimed.hear(Heard::Kind::probe);
  CHECK(claimed.count(Effect::Kind::probe) == 1);
}

TEST_CASE("where no gateway answers a question takes a second more, and the claim is never confirmed on its word") {
  Claimed claimed;
  claimed.machine.start(claimed.now, true);
  claimed.machine.ready(claimed.now);
  claimed.until(claimed.now + milliseconds{1000}, false);
  CHECK(claimed.machine.state() == State::asking);
  claimed.until(claimed.now + milliseconds{300}, false);
  CHECK(claimed.machine.state() == State::owned);
  claimed.until(claimed.now + seconds{20}, false);
  CHECK(claimed.machine.rank().epoch == 0);
}

TEST_CASE("a claim is confirmed after three quiet seconds, with an epoch above all that were heard") {
  Claimed claimed;
  claimed.own();
  claimed.until(claimed.now + milliseconds{2500});
  CHECK(claimed.machine.rank().epoch == 0);
  claimed.until(claimed.now + seconds{1});
  CHECK(claimed.machine.rank().epoch == 1'700'000'000'000);
  CHECK(claimed.count(Effect::Kind::keep) == 1);
}

TEST_CASE("of two owners the one with the higher epoch stays") {
  Claimed claimed;
  claimed.own();
  claimed.until(claimed.now + seconds{4});
  claimed.hear(Heard::Kind::hello, saying(claimed.machine.rank().epoch - 1, State::owned));
  CHECK(claimed.machine.state() == State::owned);
  claimed.hear(Heard::Kind::hello, saying(claimed.machine.rank().epoch + 1, State::owned));
  CHECK(claimed.machine.state() == State::lost);
  CHECK(claimed.count(Effect::Kind::take_off) == 1);
  CHECK(claimed.count(Effect::Kind::gone) == 1);
}

TEST_CASE("an owner yields to no state before its own, whatever the rank") {
  Claimed claimed;
  claimed.own();
  for (const auto state : {State::asking, State::reserved, State::doubtful})
    claimed.hear(Heard::Kind::hello, saying(std::uint64_t{1} << 60U, state));
  CHECK(claimed.machine.state() == State::owned);
}

TEST_CASE("without a carrier the address is off the link, and back after a question that nobody answered") {
  Claimed claimed;
  claimed.own();
  claimed.machine.carrier(claimed.now, false);
  claimed.collect();
  CHECK(claimed.machine.state() == State::doubtful);
  CHECK(claimed.count(Effect::Kind::take_off) == 1);
  claimed.until(claimed.now + seconds{10});
  CHECK(claimed.count(Effect::Kind::put_on) == 0);
  claimed.machine.carrier(claimed.now, true);
  claimed.until(claimed.now + milliseconds{119});
  CHECK(claimed.count(Effect::Kind::put_on) == 0);
  claimed.until(claimed.now + milliseconds{2});
  CHECK(claimed.machine.state() == State::owned);
}

TEST_CASE("who was without a carrier while another node took the address does not take it back") {
  Claimed claimed;
  claimed.own();
  claimed.machine.carrier(claimed.now, false);
  claimed.until(claimed.now + seconds{10});
  claimed.machine.carrier(claimed.now, true);
  claimed.collect();
  claimed.hear(Heard::Kind::use);
  claimed.until(claimed.now + seconds{1});
  CHECK(claimed.machine.state() == State::lost);
  CHECK(claimed.count(Effect::Kind::put_on) == 0);
}

TEST_CASE("a rival without hellos: who has owned for long stays, and defends once in ten seconds") {
  Claimed claimed;
  claimed.own();
  claimed.until(claimed.now + seconds{10});
  claimed.done.clear();
  for (int i = 0; i < 9; ++i) {
    claimed.hear(Heard::Kind::use);
    claimed.until(claimed.now + seconds{1});
  }
  CHECK(claimed.machine.state() == State::owned);
  CHECK(claimed.count(Effect::Kind::defend) == 1);
  CHECK(claimed.count(Effect::Kind::report) > 1);
}

TEST_CASE("after a loss it is asked again: at once on the word of who had it, else after four seconds of silence") {
  Settings watcher;
  watcher.retry = true;
  for (const bool told : {true, false}) {
    Claimed claimed(watcher);
    claimed.own();
    const auto rival = saying(std::uint64_t{1} << 60U, State::owned);
    claimed.hear(Heard::Kind::hello, rival);
    REQUIRE(claimed.machine.state() == State::lost);
    if (told) claimed.hear(Heard::Kind::gone, rival);
    claimed.until(claimed.now + milliseconds{3900});
    CHECK((claimed.machine.state() == State::owned) == told);
    claimed.until(claimed.now + seconds{3});
    CHECK(claimed.machine.state() == State::owned);
  }
}

TEST_CASE("a process that comes after a kill goes on with the rank that was kept") {
  Claimed claimed;
  claimed.machine.resume(claimed.now, true, true, {{42, 5, 6}, 43});
  claimed.until(claimed.now + seconds{1});
  CHECK(claimed.machine.state() == State::owned);
  CHECK(claimed.machine.rank() == Rank{42, 5, 6});
  CHECK(claimed.count(Effect::Kind::take_off) == 0);
  CHECK(claimed.count(Effect::Kind::announce) > 0);
}

TEST_CASE("with a rival without hellos it is as old as before the kill, and young where no epoch was kept") {
  for (const bool confirmed : {true, false}) {
    CAPTURE(confirmed);
    Claimed claimed;
    claimed.machine.resume(claimed.now, true, true, {{confirmed ? 42U : 0U, 5, 6}, 43});
    claimed.until(claimed.now + milliseconds{200});
    claimed.hear(Heard::Kind::use);
    claimed.until(claimed.now + seconds{1});
    claimed.hear(Heard::Kind::use);
    claimed.until(claimed.now + seconds{1});
    CHECK((claimed.machine.state() == State::owned) == confirmed);
  }
}

TEST_CASE("who has lost says so three times, and no more once it asks again") {
  Settings settings;
  settings.retry = true;
  Claimed one(settings);
  one.own();
  one.hear(Heard::Kind::hello, saying(UINT64_MAX, State::owned));
  REQUIRE(one.machine.state() == State::lost);
  CHECK(one.count(Effect::Kind::gone) == 1);
  one.until(one.now + seconds{1});
  CHECK(one.count(Effect::Kind::gone) == 3);
  one.hear(Heard::Kind::gone, saying(UINT64_MAX, State::owned));
  one.until(one.now + seconds{2});
  CHECK(one.machine.state() == State::owned);
  CHECK(one.count(Effect::Kind::gone) == 3);
}

TEST_CASE("a claim that was heard before the question only is waited for, not yielded to") {
  Claimed one;
  one.hear(Heard::Kind::hello, saying(7, State::owned));
  one.until(one.now + milliseconds{100});
  one.machine.start(one.now, true);
  one.machine.ready(one.now);
  one.until(one.now + milliseconds{900});
  CHECK(one.machine.state() == State::asking);
  SUBCASE("silence") {
    one.until(one.now + milliseconds{300});
    CHECK(one.machine.state() == State::owned);
  }
  SUBCASE("it speaks") {
    one.hear(Heard::Kind::hello, saying(7, State::owned));
    CHECK(one.machine.state() == State::lost);
  }
  SUBCASE("it is gone: asked at once") {
    one.hear(Heard::Kind::gone, saying(7, State::lost));
    one.until(one.now + milliseconds{50});
    CHECK(one.machine.state() == State::owned);
  }
}

TEST_CASE("who owns an address that it could not ask for asks the gateway when a rival is heard") {
  Claimed one;
  one.machine.start(one.now, true);
  one.machine.ready(one.now);
  one.until(one.now + seconds{3}, false);
  REQUIRE(one.machine.state() == State::owned);
  one.done.clear();
  one.hear(Heard::Kind::hello, saying(0, State::asking));
  CHECK(one.count(Effect::Kind::ask_gateway) == 1);
}

TEST_CASE("who has lost while it waited for another claim asks anew when it hears that the address is given up") {
  Settings settings;
  settings.retry = true;
  Claimed one(settings);
  one.hear(Heard::Kind::hello, saying(7, State::owned));
  one.until(one.now + milliseconds{100});
  one.machine.start(one.now, true);
  one.until(one.now + milliseconds{300});
  one.hear(Heard::Kind::hello, saying(7, State::owned));
  REQUIRE(one.machine.state() == State::lost);
  one.machine.ready(one.now);
  one.hear(Heard::Kind::gone, saying(7, State::lost));
  one.until(one.now + seconds{3});
  CHECK(one.machine.state() == State::owned);
  CHECK(one.count(Effect::Kind::put_on) == 1);
  CHECK(one.count(Effect::Kind::take_off) == 0);
}

TEST_CASE("who has lost, and was told to start or that another hand has put the address back, does not ask once more") {
  Settings settings;
  settings.retry = true;
  Claimed one(settings);
  one.own();
  one.hear(Heard::Kind::hello, saying(UINT64_MAX, State::owned));
  REQUIRE(one.machine.state() == State::lost);
  one.hear(Heard::Kind::gone, saying(UINT64_MAX, State::owned));
  SUBCASE("start") {
    one.machine.start(one.now, true);
    one.machine.ready(one.now);
  }
  SUBCASE("put back") { one.machine.resume(one.now, true, true, one.machine.kept()); }
  for (int i = 0; i < 100; ++i) {
    one.until(one.now + milliseconds{100});
    if (i > 2) CHECK(one.machine.state() == State::owned);
  }
}
