// The watcher: what is started stays true without an operator, and what is stopped stays down.
#include <doctest/doctest.h>

#include "tests/lab/watch/watch.h"

namespace plumb::lab {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

std::string ms(std::chrono::nanoseconds time) {
  return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(time).count()) + " ms";
}

TEST_CASE("the pause is killed: address and siblings are there again without an operator, in one new namespace") {
  const Node n1("n1");
  const Service web("web", shared_engine_spec());
  REQUIRE(web.plumb(n1, "start").exit_code == 0);
  // What an operator would do, for comparison.
  n1.must({"docker", "kill", "web.container.0"});
  const Outcome by_hand = web.plumb(n1, "start");
  REQUIRE(by_hand.exit_code == 0);

  Watch watch(n1);
  const std::string before = namespace_of(n1, "web.container.0");
  watch.forget();
  const auto begin = Clock::now();
  n1.must({"docker", "kill", "web.container.0"});
  const auto killed = Clock::now();
  REQUIRE_MESSAGE(watch.says("up again"), watch.log());
  const auto healed = Clock::now();
  CHECK(answers_at_last());
  MESSAGE("up again " << ms(healed - begin) << " after the kill began, " << ms(healed - killed)
                      << " after it was done; plumb start takes " << ms(by_hand.took));
  CHECK(healed - killed < by_hand.took + 2s);
  CHECK(namespace_of(n1, "web.container.0") != before);
  CHECK(namespace_of(n1, "web.container.1") == namespace_of(n1, "web.container.0"));
  CHECK(web.plumb(n1, "status").exit_code == 0);
  CHECK(watch.log().find("start container web.container.1") != std::string::npos);
  CHECK(watch.end().exit_code == 0);
}

TEST_CASE("a pause that somebody restarts is plumbed again, with its siblings in it") {
  const Node n1("n1");
  // One with rm and one that is kept: the engine starts the same container again.
  for (const std::string rm : {"rm = true", "rm = false"}) {
    CAPTURE(rm);
    const Service web("web", edited(shared_engine_spec(), "rm = true", rm));
    const Outcome start = web.plumb(n1, "start");
    CAPTURE(start.err);
    REQUIRE(start.exit_code == 0);
    Watch watch(n1);
    watch.forget();
    // The engine refuses when the watcher was faster, and has removed what it was about to start.
    const Outcome restart = n1.run({"docker", "restart", "-t", "0", "web.container.0"});
    CAPTURE(restart.err);
    REQUIRE_MESSAGE(watch.says("up again"), watch.log());
    // The engine's own start may have come after ours.
    const auto whole = [&] { return web.plumb(n1, "status").exit_code == 0; };
    CHECK_MESSAGE(becomes(whole, kSoon), watch.log());
    CHECK(answers_at_last());
    CHECK(namespace_of(n1, "web.container.1") == namespace_of(n1, "web.container.0"));
  }
}

TEST_CASE("a second watcher on a node is refused") {
  const Node n1("n1");
  const Watch watch(n1);
  const Outcome second = n1.run({program(), "watch"});
  CHECK(second.exit_code == 1);
  CHECK_MESSAGE(second.err.find("another plumb watch runs on this node") != std::string::npos, second.err);
}

TEST_CASE("what was damaged before the watcher came is healed, what is stopped stays down") {
  const Node n1("n1");
  const Service web("web", shared_engine_spec());
  REQUIRE(web.plumb(n1, "start").exit_code == 0);
  n1.must({"docker", "kill", "web.container.0"});
  Watch watch(n1);
  REQUIRE_MESSAGE(watch.says("up again"), watch.log());
  CHECK(answers_at_last());
  watch.forget();
  CHECK(web.plumb(n1, "stop").exit_code == 0);
  CHECK_FALSE(answers(kServiceAddress));
  CHECK_FALSE(watch.says("healing", 1500ms));
  CHECK(n1.must({"docker", "ps", "-q"}).empty());
  // A start is heard of without another word.
  REQUIRE(web.plumb(n1, "start").exit_code == 0);
  n1.must({"docker", "kill", "web.container.0"});
  CHECK(watch.says("up again"));
  CHECK(answers_at_last());
}

TEST_CASE("a start that failed leaves nothing to be watched") {
  const Node n1("n1");
  {
    const Service web("web", edited(shared_engine_spec(), "image = nginx", "image = nginx:none"));
    CHECK(web.plumb(n1, "start").exit_code != 0);
    CHECK(n1.run({"test", "-e", "/run/plumb/web.started"}).exit_code != 0);
  }
  const Service web("web", shared_engine_spec());
  REQUIRE(web.plumb(n1, "start").exit_code == 0);
  CHECK(n1.run({"test", "-e", "/run/plumb/web.started"}).exit_code == 0);
  REQUIRE(web.plumb(n1, "stop").exit_code == 0);
  CHECK(n1.run({"test", "-e", "/run/plumb/web.started"}).exit_code != 0);
}

TEST_CASE("an address, a route, a link that somebody takes away: put back, and then it is quiet") {
  const Node n1("n1");
  const Service web("web", shared_engine_spec());
  REQUIRE(web.plumb(n1, "start").exit_code == 0);
  Watch watch(n1);
  for (const Words& damage :
       {Words{"ip", "address", "del", "10.0.3.3/24", "dev", "eth0"}, Words{"ip", "route", "del", "default"},
        Words{"ip", "link", "set", "eth0", "down"}, Words{"ip", "link", "del", "eth0"}}) {
    CAPTURE(damage[1]);
    watch.forget();
    Words inside{program(), "enter", "web", "--"};
    inside.insert(inside.end(), damage.begin(), damage.end());
    n1.must(inside);
    REQUIRE_MESSAGE(watch.says("up again"), watch.log());
    CHECK(answers_at_last());
    CHECK(web.plumb(n1, "status").exit_code == 0);
    watch.forget();
    CHECK_FALSE_MESSAGE(watch.says("healing", 500ms), watch.log());
  }
}

TEST_CASE("a service that a later plumb has started is left alone, and said once, and another one is healed") {
  const Node n1("n1");
  const Service web("web", shared_engine_spec());
  const Service host("host", "[ip#0]\nipname = 10.0.3.21\nipdev = eth0\nnetmask = 24\n");
  REQUIRE(web.plumb(n1, "start").exit_code == 0);
  REQUIRE(host.plumb(n1, "start").exit_code == 0);
  const std::string inside = "--net=/proc/" + pid_of(n1, "web.container.0") + "/ns/net";
  Watch watch(n1);
  n1.must({"sed", "-i", "1s/ 1$/ 2/", "/run/plumb/web.started"});
  REQUIRE_MESSAGE(watch.says("/run/plumb/web.started: it has version 2"), watch.log());
  watch.forget();
  n1.must({"nsenter", inside, "ip", "address", "del", "10.0.3.3/24", "dev", "eth0"});
  // It is looked at once more.
  n1.must({"bash", "-c", "cp /run/plumb/web.started /run/plumb/copy; mv /run/plumb/copy /run/plumb/web.started"});
  n1.must({"ip", "address", "del", "10.0.3.21/24", "dev", "eth0"});
  REQUIRE_MESSAGE(watch.says("host: up again"), watch.log());
  CHECK_MESSAGE(watch.log().find("web") == std::string::npos, watch.log());
  CHECK(n1.must({"nsenter", inside, "ip", "address", "show", "dev", "eth0"}).find("10.0.3.3/24") == std::string::npos);
  // This program's again.
  watch.forget();
  n1.must({"sed", "-i", "1s/ 2$/ 1/", "/run/plumb/web.started"});
  REQUIRE_MESSAGE(watch.says("web: up again"), watch.log());
  CHECK(answers_at_last());
}

TEST_CASE("an address of the node itself is put back") {
  const Node n1("n1");
  const Service host("host", "[ip#0]\nipname = 10.0.3.21\nipdev = eth0\nnetmask = 24\n");
  REQUIRE(host.plumb(n1, "start").exit_code == 0);
  Watch watch(n1);
  watch.forget();
  n1.must({"ip", "address", "del", "10.0.3.21/24", "dev", "eth0"});
  CHECK_MESSAGE(watch.says("up again"), watch.log());
  CHECK(Node("client").run({"ping", "-c1", "-W2", "10.0.3.21"}).exit_code == 0);
  REQUIRE(host.plumb(n1, "stop").exit_code == 0);
  watch.forget();
  n1.must({"ip", "address", "add", "10.0.3.21/24", "dev", "eth0"});
  n1.must({"ip", "address", "del", "10.0.3.21/24", "dev", "eth0"});
  CHECK_FALSE(watch.says("healing", 1s));
}

TEST_CASE("a sibling that dies is restarted as often as it may be, later each time, and then left down") {
  const Node n1("n1");
  const Service web("web", edited(shared_engine_spec(), "image = nginx", "image = nginx\nrestart = 2"));
  REQUIRE(web.plumb(n1, "start").exit_code == 0);
  const std::string pause = pid_of(n1, "web.container.0");
  Watch watch(n1);
  for (const char* restart : {"restart 1 of 2 in 1 s", "restart 2 of 2 in 2 s"}) {
    watch.forget();
    n1.must({"docker", "kill", "web.container.1"});
    CHECK_MESSAGE(watch.says(restart), watch.log());
    REQUIRE_MESSAGE(watch.says("up again"), watch.log());
    CHECK(answers_at_last());
  }
  watch.forget();
  n1.must({"docker", "kill", "web.container.1"});
  CHECK_MESSAGE(watch.says("ended with exit code 137 and is left down after 2 restarts"), watch.log());
  CHECK(pid_of(n1, "web.container.0") == pause);
  // A heal of something else leaves it alone, too, and does not say it again.
  watch.forget();
  n1.must({program(), "enter", "web", "--", "ip", "route", "del", "default"});
  CHECK_MESSAGE(watch.says("healed, but for container#1, after "), watch.log());
  CHECK(watch.log().find("left down") == std::string::npos);
  CHECK_FALSE(answers(kServiceAddress));
  // An operator's start ends that.
  CHECK(web.plumb(n1, "start").exit_code == 0);
  CHECK(answers_at_last());
}

TEST_CASE("siblings come back with their pause even when they are not to be restarted alone") {
  const Node n1("n1");
  const Service web("web", shared_engine_spec());
  REQUIRE(web.plumb(n1, "start").exit_code == 0);
  Watch watch(n1);
  watch.forget();
  n1.must({"docker", "kill", "web.container.1"});
  CHECK_MESSAGE(watch.says("is left down (restart = 0)"), watch.log());
  watch.forget();
  n1.must({"docker", "kill", "web.container.0"});
  CHECK_MESSAGE(watch.says("up again"), watch.log());
  CHECK(answers_at_last());
}

}  // namespace
}  // namespace plumb::lab
