// The same as kill_test.cc for a service with an engine of its own, and for one in a container of somebody else's. On
// another lab, so that they take turns with nothing of that.
#include <doctest/doctest.h>

#include <string>

#include "tests/lab/fault/kill_verbs.h"
#include "tests/lab/system_container.h"

namespace plumb::lab {
namespace {

const Config kPrivateEngine{"docker_data_dir = /srv/killed/docker_data_dir\n", "", "", "", "eth0", "10.0.3.1", "nginx"};

TEST_CASE("a start with an engine of its own that is killed at any call is made whole, and cleared") {
  Stage stage("killed", kPrivateEngine);
  REQUIRE(stage.plumb("start").exit_code == exit_ok);  // its images are pulled once
  REQUIRE(stage.plumb("stop").exit_code == exit_ok);
  stage.remember();
  kill_starts(stage, 20);
}

TEST_CASE("a stop with an engine of its own that is killed at any call is finished by the next") {
  Stage stage("killed", kPrivateEngine);
  REQUIRE(stage.plumb("start").exit_code == exit_ok);
  REQUIRE(stage.plumb("stop").exit_code == exit_ok);
  stage.remember();
  kill_stops(stage, 12);
}

// The container runs on, as it did before; only the address comes and goes.
void encapsulate(Stage& stage, const SystemContainer& vm) {
  vm.node().must({"docker", "start", "vm1"});
  vm.node().write("/etc/plumb/" + stage.name() + ".conf",
                  "[container#0]\nname = vm1\nstandby = true\n[ip#0]\nipname = " + std::string(Stage::kAddress) +
                      "\nipdev = eth0\ntags = encap\n");
  stage.remember();
}

TEST_CASE("a start inside a container that is killed at any call is made whole by start, and cleared by stop") {
  const SystemContainer vm("n1", "10.0.3.41");
  Stage stage("killed", {"", "", "", "", "eth0", "10.0.3.1", "nginx"});
  encapsulate(stage, vm);
  kill_starts(stage, 4);
  CHECK(vm.state() == "running");
}

TEST_CASE("a stop inside a container that is killed at any call is finished by the next") {
  const SystemContainer vm("n1", "10.0.3.41");
  Stage stage("killed", {"", "", "", "", "eth0", "10.0.3.1", "nginx"});
  encapsulate(stage, vm);
  kill_stops(stage, 3);
  CHECK(vm.state() == "running");
}

}  // namespace
}  // namespace plumb::lab
