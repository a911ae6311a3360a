// The watcher and what happens around a service: engines, carriers, rivals, verbs.
#include <doctest/doctest.h>

#include "tests/lab/capture.h"
#include "tests/lab/watch/watch.h"

namespace plumb::lab {
namespace {

using namespace std::chrono_literals;

void kill_own_engine(const Node& node) {
  node.must({"bash", "-c", "read -r pid _ </run/plumb/svc1/engine.pid && kill -9 $pid"});
}

TEST_CASE("the engine is killed or stopped, and comes back: all is as it was") {
  const Node n1("n1");
  const Service web("web", shared_engine_spec());
  REQUIRE(web.plumb(n1, "start").exit_code == 0);
  Watch watch(n1);
  REQUIRE(watch.says("listening to the engine"));
  for (const std::string how : {"kill", "stop"}) {
    CAPTURE(how);
    watch.forget();
    lab({"engine", "n1", how});
    CHECK_MESSAGE(watch.says("is gone"), watch.log());
    lab({"engine", "n1", "start"});
    CHECK_MESSAGE(watch.says("answers again"), watch.log());
    REQUIRE_MESSAGE(watch.says("up again"), watch.log());
    CHECK(answers_at_last());
    CHECK(web.plumb(n1, "status").exit_code == 0);
  }
  // It listens to the new engine.
  watch.forget();
  n1.must({"docker", "kill", "web.container.0"});
  CHECK_MESSAGE(watch.says("up again"), watch.log());
}

TEST_CASE("a service's own engine is killed while the watcher begins: started again all the same") {
  const Node n1("n1");
  const Service svc1("svc1", reference_spec());
  REQUIRE(svc1.plumb(n1, "start").exit_code == 0);
  // At another instant of its first look each time.
  for (int i = 0; i < 4; ++i) {
    CAPTURE(i);
    Watch watch(n1);
    for (int look = 0; look < i; ++look) n1.run({"test", "-S", "/run/plumb/svc1/docker.sock"});
    kill_own_engine(n1);
    REQUIRE_MESSAGE(watch.says("up again"), watch.log());
    CHECK(answers_at_last());
  }
}

TEST_CASE("a service's own engine is killed: started again with all that was in it") {
  const Node n1("n1");
  const Service svc1("svc1", reference_spec());
  const State before = svc1.state(n1);
  REQUIRE(svc1.plumb(n1, "start").exit_code == 0);
  {
    Watch watch(n1);
    for (int i = 0; i < 2; ++i) {  // the second time it is the watcher's own child
      CAPTURE(i);
      watch.forget();
      kill_own_engine(n1);
      REQUIRE_MESSAGE(watch.says("up again"), watch.log());
      CHECK(answers_at_last());
    }
    CHECK(svc1.plumb(n1, "stop").exit_code == 0);
  }
  svc1.plumb(n1, "start");
  svc1.plumb(n1, "stop");
  CHECK(difference(before, svc1.state(n1)) == "");
}

TEST_CASE("the carrier of the uplink returns: the address is asked for, and announced") {
  const Node n1("n1");
  const Service web("web", shared_engine_spec());
  REQUIRE(web.plumb(n1, "start").exit_code == 0);
  Watch watch(n1);
  lab({"cut", "n1"});
  CHECK_MESSAGE(watch.says("has no carrier"), watch.log());
  Capture wire(Node("client"), "eth0");
  lab({"mend", "n1"});
  CHECK_MESSAGE(watch.says("eth0 has its carrier again: asking whether somebody has 10.0.3.3"), watch.log());
  CHECK(wire.await(
      [](const Frame& f) { return f.arp() && f.arp()->claims(kServiceAddress) && f.arp()->operation == 1; }, 5s));
  CHECK(wire.await(
      [](const Frame& f) { return f.arp() && f.arp()->claims(kServiceAddress) && f.arp()->operation == 2; }, 5s));
  CHECK(answers_at_last());
  // It is news each time.
  watch.forget();
  lab({"cut", "n1"});
  CHECK_MESSAGE(watch.says("has no carrier"), watch.log());
  lab({"mend", "n1"});
  CHECK_MESSAGE(watch.says("eth0 has its carrier again"), watch.log());
}

TEST_CASE("a verb waits for the watcher, and says for whom") {
  const Node n1("n1");
  // It ignores SIGTERM: to stop it takes its stop_timeout.
  std::string spec = edited(shared_engine_spec(), "image = nginx",
                            "image = busybox\ncommand = sh -c \"trap '' TERM; sleep 1000\"\nstop_timeout = 3s");
  const Service slow("slow", spec);
  const Outcome start = slow.plumb(n1, "start");
  CAPTURE(start.err);
  REQUIRE(start.exit_code == 0);
  Watch watch(n1);
  // Not by the engine: Podman 4.3 says that it has killed it when the heal is over.
  n1.must({"kill", "-KILL", pid_of(n1, "slow.container.0")});
  REQUIRE_MESSAGE(watch.says("healing"), watch.log());
  const Outcome stop = slow.plumb(n1, "stop");
  CHECK(stop.exit_code == 0);
  CHECK_MESSAGE(stop.err.find("waiting for plumb watch (pid ") != std::string::npos, (stop.err + watch.log()));
  watch.forget();
  CHECK_FALSE(watch.says("healing", 1500ms));
  CHECK(slow.plumb(n1, "status").exit_code == 3);
}

}  // namespace
}  // namespace plumb::lab
