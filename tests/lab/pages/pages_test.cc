// The commands of README.md and of the manuals, typed as they stand there, with what they print. Each page that
// pages::runs() gives to this program has its test case here.
#include <doctest/doctest.h>

#include <set>

#include "tests/lab/driver/driver.h"
#include "tests/lab/pages/player.h"
#include "tests/lab/service.h"

namespace plumb::lab {
namespace {

// The service of README.md and of most manuals, on the node's engine.
std::string svc1_spec() { return edited(shared_engine_spec(), "image = nginx", "image = nginx\nrm = true"); }

TEST_CASE("README: one service, from nothing") {
  const Service svc1("svc1", svc1_spec());
  CHECK(play_all("README.md", "One service, from nothing") == "");
}

TEST_CASE("README: one network") {
  DriverOn driver;
  CHECK(play_all("README.md", "One network") == "");
  CHECK(serves(Node("client"), "10.0.3.3"));
  CHECK(driver.remove({"web"}) == "");
  CHECK(driver.docker({"network", "rm", "lan"}) == "");
}

TEST_CASE("plumb-tutorial(7), from its first line to its last, and nothing is left") {
  const Service web("web", "");  // removes what a failure leaves
  for (const std::string node : {"n1", "n2", "n3"}) Node(node).remove("/etc/plumb/web.conf");
  const State n1 = web.state(Node("n1"));
  const State n2 = web.state(Node("n2"));
  CHECK(play_all("plumb-tutorial.7") == "");
  CHECK(difference_to_now(n1, [&] { return web.state(Node("n1")); }) == "");
  CHECK(difference_to_now(n2, [&] { return web.state(Node("n2")); }) == "");
}

TEST_CASE("plumb(8): examples") {
  const Service svc1("svc1", svc1_spec());
  CHECK(play_all("plumb.8", "EXAMPLES") == "");
}

TEST_CASE("plumb(8): the hand-over") {
  const Service svc1("svc1", edited(svc1_spec(), "[DEFAULT]", "[DEFAULT]\nhandover = true"));
  REQUIRE(svc1.plumb(Node("n1"), "start").exit_code == 0);
  CHECK(play_all("plumb.8", "HAND-OVER") == "");
  CHECK(answers("10.0.3.3"));
}

TEST_CASE("plumb.conf(5): examples") {
  const Service svc1("svc1", svc1_spec());
  CHECK(play_all("plumb.conf.5") == "");
}

TEST_CASE("plumb-watch(8): examples") {
  const Service svc1("svc1", svc1_spec());
  REQUIRE(svc1.plumb(Node("n1"), "start").exit_code == 0);
  CHECK(play_all("plumb-watch.8") == "");
}

TEST_CASE("plumb-driver(8): examples") {
  CHECK(play_all("plumb-driver.8") == "");
  Node("n1").remove("/var/lib/plumb/driver");
}

TEST_CASE("plumb-docker(7): the tutorial, from its first line to its last, and nothing is left") {
  DriverOn here;
  DriverOn there("n2");
  const State before = here.state();
  CHECK(play_all("plumb-docker.7", "TUTORIAL") == "");
  CHECK(here.changed(before) == "");
  // What a failure leaves.
  for (const auto* driver : {&here, &there}) {
    driver->node().run({"docker", "rm", "-f", "svc1.web", "svc1.pause"});
    driver->node().run({"docker", "network", "rm", "lan"});
  }
}

TEST_CASE("plumb-docker(7): examples") {
  DriverOn driver;
  CHECK(play_all("plumb-docker.7", "EXAMPLES") == "");
  driver.node().run({"docker", "network", "rm", "ranged", "both", "same"});
}

TEST_CASE("ocf_plumb_service(7): examples") {
  const Service svc1("svc1", svc1_spec());
  CHECK(play_all("ocf_plumb_service.7") == "");
}

TEST_CASE("a command that fails, or that prints something else than its page shows, is found") {
  const auto played = [](const pages::Command& command) { return Player().play({"page", "section", {command}}); };
  CHECK(played({"n1", "plumb keywords netmask", {"ip.netmask"}}) == "");
  CHECK(played({"n1", "plumb keywords netmask", {"ip.ipdev"}}) != "");
  CHECK(played({"n1", "plumb keywords netmask", {"ip.net"}}) != "");
  CHECK(played({"n1", "echo what is shown of it", {"what ... shown ..."}}) == "");
  CHECK(played({"n1", "echo what is shown of it", {"what ... hidden ..."}}) != "");
  CHECK(played({"n1", "echo what is shown of it", {"... shown"}}) != "");
  CHECK(played({"n1", "plumb keywords netmask", {"ip.net...", "..."}}) == "");
  CHECK(played({"n1", "plumb keywords nothing", {}}) != "");
  CHECK(played({"n1", "echo pid 7 in 8 ms", {"pid 9  in 1.5 ms"}}) == "");
  CHECK(played({"n1", "echo 7 of 8", {"7 of 9"}}) != "");
  CHECK(played({"n1", "wait", {}}) != "");
}

TEST_CASE("each page that is given to this program is one of those above") {
  const std::set<std::string_view> played{"README.md",     "plumb-tutorial.7", "plumb.8",        "plumb.conf.5",
                                          "plumb-watch.8", "plumb-driver.8",   "plumb-docker.7", "ocf_plumb_service.7"};
  for (const auto& run : pages::runs())
    if (run.test == "pages_test") CHECK_MESSAGE(played.contains(run.page), run.page);
}

}  // namespace
}  // namespace plumb::lab
