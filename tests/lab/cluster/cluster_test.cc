// A service run by Pacemaker, with fencing, while one thing after the other breaks: at no instant do two machines
// answer for its address, and it ends up running once, or nowhere with the reason in crm_mon. Prints how long a client
// went without.
#include <doctest/doctest.h>

#include <csignal>
#include <fstream>
#include <sstream>

#include "tests/lab/cluster/cluster.h"
#include "tests/lab/extra_port.h"

namespace plumb::lab {
namespace {

using namespace std::chrono_literals;

const std::string kAddress = "10.0.3.3";

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// Ends a program of the node at once, as the kernel's OOM killer does.
void kill_program(const std::string& node, const std::string& name) {
  Node(node).must({"bash", "-c", "kill -KILL $(pgrep -x " + name + ")"});
}

TEST_CASE("planned move: the service goes to the other node and back") {
  ClusterStage stage;
  stage.cluster.must({"crm_resource", "--move", "--resource", "web", "--node", "n2"});
  stage.check_runs_once_on("n2", "planned move, first on that node");
  stage.absence.begin();
  stage.cluster.must({"crm_resource", "--clear", "--resource", "web"});
  stage.cluster.must({"crm_resource", "--move", "--resource", "web", "--node", "n1"});
  stage.check_runs_once_on("n1", "planned move");
  CHECK(stage.owners.history(kAddress) == "n1 n2 n1");
}

TEST_CASE("node killed: the service starts on the other one") {
  ClusterStage stage;
  lab({"kill", "n1"});
  stage.check_runs_once_on("n2", "node killed");
  CHECK(stage.owners.history(kAddress) == "n1 n2");
}

TEST_CASE("node partitioned: it has the address still, and is fenced before another one takes it") {
  ClusterStage stage;
  // In the switch: the node's device has its carrier.
  Node("lan").must({"ip", "link", "set", "n1", "nomaster"});
  stage.check_runs_once_on("n2", "node partitioned");
  CHECK_FALSE(Node::is_up("n1"));
  CHECK(stage.owners.history(kAddress) == "n1 n2");
}

TEST_CASE("cable pulled: the node is fenced, as it is when it is partitioned") {
  ClusterStage stage;
  lab({"cut", "n1"});
  stage.check_runs_once_on("n2", "cable pulled");
  CHECK_FALSE(Node::is_up("n1"));
  CHECK(stage.owners.history(kAddress) == "n1 n2");
}

TEST_CASE("corosync killed: its node is fenced, as nobody can tell it to stop") {
  ClusterStage stage;
  kill_program("n1", "corosync");
  stage.check_runs_once_on("n2", "corosync killed");
  CHECK_FALSE(Node::is_up("n1"));
  CHECK(stage.owners.history(kAddress) == "n1 n2");
}

TEST_CASE("link down: a node whose device is off is fenced") {
  ClusterStage stage;
  Node("n1").must({"ip", "link", "set", "eth0", "down"});
  stage.check_runs_once_on("n2", "link down");
  CHECK_FALSE(Node::is_up("n1"));
}

TEST_CASE("pause killed: the service is started anew where it was") {
  ClusterStage stage;
  Node("n1").must({"docker", "kill", "web.container.0"});
  REQUIRE(stage.absence.await_silence(100ms, 20s));
  stage.check_runs_once_on("n1", "pause killed");
  CHECK(stage.owners.history(kAddress) == "n1");
  CHECK_MESSAGE(has(stage.cluster.status(), "exitreason="), stage.cluster.status());
}

TEST_CASE("engine killed: containers that live on are left alone, and those that its return ends are started anew") {
  ClusterStage stage;
  lab({"engine", "n1", "kill"});
  const Outcome monitor = Node("n1").run({"crm_resource", "--force-check", "--resource", "web"}, 20s);
  CHECK_MESSAGE(monitor.exit_code == 0, (monitor.out + monitor.err));
  stage.check_runs_once_on("n1", "engine killed");
  CHECK(stage.absence.of_address() < 100ms);
  stage.absence.begin();
  lab({"engine", "n1", "start"});
  REQUIRE(stage.absence.await_silence(100ms, 20s));
  stage.check_runs_once_on("n1", "engine killed and started again");
  CHECK(stage.owners.history(kAddress) == "n1");
}

TEST_CASE("engine killed, then a planned move: the stop fails, and the node is fenced for it") {
  ClusterStage stage;
  lab({"engine", "n1", "kill"});
  stage.cluster.must({"crm_resource", "--move", "--resource", "web", "--node", "n2"});
  stage.check_runs_once_on("n2", "planned move with the engine killed");
  CHECK_FALSE(Node::is_up("n1"));
  CHECK(stage.owners.history(kAddress) == "n1 n2");
}

TEST_CASE("engine and containers killed: the service starts on the other node, and crm_mon says why") {
  ClusterStage stage;
  kill_program("n1", "'dockerd|containerd|containerd-shim|pause|nginx'");
  stage.check_runs_once_on("n2", "engine and containers killed");
  CHECK(stage.owners.history(kAddress) == "n1 n2");
  CHECK_MESSAGE(has(stage.cluster.status(), "exitreason="), stage.cluster.status());
}

TEST_CASE("engine stopped cleanly: the service starts on the other node, and crm_mon says why") {
  ClusterStage stage;
  lab({"engine", "n1", "stop"});
  stage.check_runs_once_on("n2", "engine stopped cleanly");
  CHECK(stage.owners.history(kAddress) == "n1 n2");
  CHECK_MESSAGE(has(stage.cluster.status(), "exitreason="), stage.cluster.status());
}

TEST_CASE("link down: a device that is not the cluster's is seen by the monitor, and the service moves") {
  const Cluster cluster;
  const ExtraPort n1_port("n1", "eth1");
  const ExtraPort n2_port("n2", "eth1");
  for (const ExtraPort* port : {&n1_port, &n2_port}) port->node().must({"ip", "link", "set", "eth1", "up"});
  ClusterStage stage(edited(shared_engine_spec(), "ipdev", "ipdev = eth1"));
  lab({"cut", "n1-eth1"});
  stage.check_runs_once_on("n2", "link of the service down");
  CHECK(Node::is_up("n1"));
  CHECK(stage.owners.history(kAddress) == "n1 n2");
  CHECK_MESSAGE(has(stage.cluster.status(), "carrier"), stage.cluster.status());
}

}  // namespace
}  // namespace plumb::lab
