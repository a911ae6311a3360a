// The watcher's patience: what it heals at once, later, or not at all.
#include <doctest/doctest.h>

#include "plugin/watch/decision.h"
#include "tests/specs/plan/svc1.h"

using namespace plumb;
using namespace plumb::watch;
using namespace std::chrono_literals;
using test::svc1;

namespace {

const Time kBegin = Time{} + 1h;

Observed running(const Service& s) {
  Observed o = test::bare_node();
  test::run_both(s, o, {5, "eth0", "macvlan", {}, 1500, true, true, 2, 0});
  return o;
}

void end(Observed& o, const std::string& id, int exit_code = 1) {
  auto& c = o.containers.at(id);
  c.running = false;
  c.state = "exited";
  c.exit_code = exit_code;
  c.netns.reset();
}

bool starts(const Decision& decision, const std::string& id) {
  return decision.heal && !decision.service.container(id)->disable;
}

}  // namespace

TEST_CASE("a whole service is left alone") {
  Memory memory;
  const auto decision = decide(svc1(), running(svc1()), memory, kBegin);
  CHECK(decision.whole);
  CHECK_FALSE(decision.heal);
  CHECK_FALSE(decision.due);
}

TEST_CASE("what is missing of an address is healed at once, and nothing is undone when that fails") {
  auto seen = running(svc1());
  seen.containers.at("container#0").netns->addresses.clear();
  Memory memory;
  const auto decision = decide(svc1(), seen, memory, kBegin);
  CHECK(decision.heal);
  CHECK_FALSE(decision.service.rollback);
  REQUIRE(decision.reasons.size() == 1);
  CHECK(decision.reasons[0] == "ip#0: address 10.0.3.3 is not there");
}

TEST_CASE("a sibling: restarted as often as it may be, later each time, then left down, said once") {
  auto service = svc1();
  service.containers[1].restart = 2;
  auto seen = running(service);
  end(seen, "container#1", 137);
  Memory memory;
  Time now = kBegin;
  for (const auto wait : {1s, 2s}) {
    CAPTURE(wait.count());
    auto decision = decide(service, seen, memory, now);
    CHECK_FALSE(decision.heal);
    REQUIRE(decision.notes.size() == 1);
    REQUIRE(decision.due);
    CHECK(*decision.due == now + wait);
    CHECK(decide(service, seen, memory, now + 500ms).notes.empty());
    now = *decision.due;
    decision = decide(service, seen, memory, now);
    CHECK(starts(decision, "container#1"));
    heal_begins(memory, decision, now);
    heal_ended(memory, true, {}, now);
  }
  auto decision = decide(service, seen, memory, now);
  CHECK_FALSE(decision.heal);
  CHECK_FALSE(decision.due);
  REQUIRE(decision.notes.size() == 1);
  CHECK(decision.notes[0].find("exit code 137 and is left down after 2 restarts") != std::string::npos);
  CHECK(decide(service, seen, memory, now + 1h).notes.empty());
  // In a heal of something else, too.
  seen.containers.at("container#0").netns->routes.clear();
  decision = decide(service, seen, memory, now + 1h);
  CHECK(decision.heal);
  CHECK_FALSE(starts(decision, "container#1"));
}

TEST_CASE("a sibling that has run for long has its restarts back, one that an operator started is not given up") {
  auto service = svc1();
  service.containers[1].restart = 1;
  auto seen = running(service);
  end(seen, "container#1");
  Memory memory;
  static_cast<void>(decide(service, seen, memory, kBegin));
  const auto restart = decide(service, seen, memory, kBegin + 1s);
  REQUIRE(starts(restart, "container#1"));
  heal_begins(memory, restart, kBegin + 1s);
  heal_ended(memory, true, {}, kBegin + 1s);
  SUBCASE("long") {
    static_cast<void>(decide(service, running(service), memory, kBegin + 2s));
    CHECK(decide(service, seen, memory, kBegin + 1s + kForgetRestarts).due);
  }
  SUBCASE("not long") {
    static_cast<void>(decide(service, running(service), memory, kBegin + 2s));
    CHECK_FALSE(decide(service, seen, memory, kBegin + kForgetRestarts).due);
  }
}

TEST_CASE("siblings come back with the owner of their namespace, and with their engine") {
  const auto service = svc1();  // restart = 0
  auto seen = running(service);
  end(seen, "container#1");
  Memory memory;
  SUBCASE("both at once") {
    end(seen, "container#0");
    CHECK(starts(decide(service, seen, memory, kBegin), "container#1"));
  }
  SUBCASE("the sibling's end is seen first") {
    CHECK_FALSE(decide(service, seen, memory, kBegin).heal);
    end(seen, "container#0");
    CHECK(starts(decide(service, seen, memory, kBegin + 5s), "container#1"));
  }
  SUBCASE("it was left down long before") {
    CHECK_FALSE(decide(service, seen, memory, kBegin).heal);
    end(seen, "container#0");
    const auto decision = decide(service, seen, memory, kBegin + kSameBlow + 1s);
    CHECK(decision.heal);
    CHECK_FALSE(starts(decision, "container#1"));
  }
  SUBCASE("the engine goes after it") {
    CHECK_FALSE(decide(service, seen, memory, kBegin).heal);
    engine_lost(memory, kBegin + 5s);
    CHECK(starts(decide(service, seen, memory, kBegin + 10s), "container#1"));
  }
  SUBCASE("a heal failed before it came to the sibling") {
    end(seen, "container#0");
    const auto decision = decide(service, seen, memory, kBegin);
    heal_begins(memory, decision, kBegin);
    heal_ended(memory, false, "create container", kBegin);
    auto half = running(service);
    end(half, "container#1");
    CHECK(starts(decide(service, half, memory, kBegin + 2s), "container#1"));
  }
}

TEST_CASE("a heal that fails is tried again, later each time, up to a minute") {
  const auto service = svc1();
  auto seen = running(service);
  seen.containers.at("container#0").netns->addresses.clear();
  Memory memory;
  Time now = kBegin;
  for (const auto wait : {1s, 2s, 4s, 8s, 16s, 32s, 60s, 60s}) {
    CAPTURE(wait.count());
    auto decision = decide(service, seen, memory, now);
    REQUIRE(decision.heal);
    heal_begins(memory, decision, now);
    heal_ended(memory, false, "add 10.0.3.3/24", now);
    decision = decide(service, seen, memory, now);
    CHECK_FALSE(decision.heal);
    REQUIRE(decision.due);
    CHECK(*decision.due == now + wait);
    now = *decision.due;
  }
}

TEST_CASE("heals that go well one after the other are held back, so that no crash loop keeps the engine busy") {
  const auto service = svc1();
  auto seen = running(service);
  end(seen, "container#0");
  Memory memory;
  for (std::size_t i = 0; i < kFreeHeals; ++i) {
    const auto decision = decide(service, seen, memory, kBegin);
    REQUIRE(decision.heal);
    heal_begins(memory, decision, kBegin);
    heal_ended(memory, true, {}, kBegin);
  }
  const auto decision = decide(service, seen, memory, kBegin);
  CHECK_FALSE(decision.heal);
  REQUIRE(decision.due);
  CHECK(*decision.due == kBegin + 1s);
}

TEST_CASE("an engine that does not answer is waited for, not worked around") {
  auto seen = test::bare_node();
  seen.engine.state = EngineState::unreachable;
  seen.engine.error = Error{ErrorKind::unreachable, 0, "connect: refused", {}};
  Memory memory;
  auto decision = decide(svc1(), seen, memory, kBegin);
  CHECK(decision.away);
  CHECK_FALSE(decision.heal);
  CHECK_FALSE(decision.due);  // its return is heard of
  REQUIRE(decision.obstacle);
  CHECK(decision.obstacle->what == "connect: refused");
  // One of the service's own that is about to die is seen dead by the next look.
  seen.engine.is_private = true;
  decision = decide(svc1(), seen, memory, kBegin);
  REQUIRE(decision.due);
  CHECK(*decision.due == kBegin + 1s);
}

TEST_CASE("what a start cannot mend now is an obstacle, and looked at again, later each time until it is gone") {
  const auto healthy = running(svc1());
  auto seen = healthy;
  seen.node.links[1].carrier = false;
  seen.containers.at("container#0").netns->links[0].carrier = false;
  Memory memory;
  Time now = kBegin;
  for (int times = 0; times < 2; ++times) {
    CAPTURE(times);
    for (const auto wait : {1s, 2s, 4s, 8s, 16s, 32s, 60s, 60s}) {
      CAPTURE(wait.count());
      const auto decision = decide(svc1(), seen, memory, now);
      REQUIRE(decision.obstacle);
      CHECK(decision.obstacle->what.find("carrier") != std::string::npos);
      CHECK_FALSE(decision.heal);
      CHECK_FALSE(decision.whole);
      REQUIRE(decision.due);
      CHECK(*decision.due == now + wait);
      now = *decision.due;
      memory.said = decision.obstacle->what;
    }
    // Without a heal; and when it comes back, it is said again.
    const auto decision = decide(svc1(), healthy, memory, now);
    CHECK(decision.whole);
    CHECK_FALSE(decision.due);
    CHECK(memory.said.empty());
  }
}
