// Hand-overs by Pacemaker: both nodes run the containers for a moment, and never do both have the address.
#include <doctest/doctest.h>

#include "tests/lab/cluster/cluster.h"

namespace plumb::lab {
namespace {

using namespace std::chrono_literals;

const std::string kAddress = "10.0.3.3";

std::string handed_over() { return edited(shared_engine_spec(), "[DEFAULT]", "[DEFAULT]\nhandover = true"); }

// A sibling that takes its time to start: the time in which something can happen to either node.
std::string slow_to_start() {
  return handed_over() +
         "\n[container#2]\ntype = docker\nimage = busybox\ncommand = sleep 3\ndetach = false\nnetns = container#0\n";
}

void move_to(const ClusterStage& stage, const std::string& node) {
  stage.cluster.must({"crm_resource", "--move", "--resource", "web", "--node", node});
}

TEST_CASE("hand-over: the other node is ready before the address goes there") {
  ClusterStage stage(handed_over(), true);
  move_to(stage, "n2");
  stage.check_runs_once_on("n2", "hand-over, first on that node");
  stage.absence.begin();
  stage.cluster.must({"crm_resource", "--clear", "--resource", "web"});
  move_to(stage, "n1");
  stage.check_runs_once_on("n1", "hand-over");
  CHECK(stage.owners.history(kAddress) == "n1 n2 n1");
  CHECK(stage.cluster.status().find("Failed Resource Actions") == std::string::npos);
}

TEST_CASE("hand-over, and the node that is to have the service dies: it stays, or comes back, where it was") {
  ClusterStage stage(slow_to_start(), true);
  move_to(stage, "n2");
  REQUIRE(becomes([] { return Node("n1").run({"test", "-e", "/run/plumb/web.yielding"}).exit_code == 0; }, 20s));
  lab({"kill", "n2"});
  CHECK(stage.cluster.await_at("web", {"n1"}));
  stage.cluster.settle();
  CHECK(stage.absence.await_answers(60s));
  stage.check_one_owner();
}

TEST_CASE("hand-over, and the node that has the service dies: the other one has it in the end") {
  ClusterStage stage(slow_to_start(), true);
  move_to(stage, "n2");
  REQUIRE(becomes([] { return Node("n1").run({"test", "-e", "/run/plumb/web.yielding"}).exit_code == 0; }, 20s));
  lab({"kill", "n1"});
  stage.check_runs_once_on("n2", "node killed while it hands over");
  CHECK(stage.owners.history(kAddress) == "n1 n2");
}

}  // namespace
}  // namespace plumb::lab
