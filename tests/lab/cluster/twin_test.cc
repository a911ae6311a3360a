// The other side of cluster_test: what the tests there would show if it were not so. Two owners are found by the watch
// on the LAN, a node that cannot be fenced keeps its services from starting elsewhere, and a service that can run
// nowhere says why.
#include <doctest/doctest.h>

#include "tests/lab/cluster/cluster.h"

namespace plumb::lab {
namespace {

using namespace std::chrono_literals;

const std::string kAddress = "10.0.3.3";

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

TEST_CASE("a rival on purpose is found by the watch on the LAN") {
  ClusterStage stage;
  stage.check_one_owner();
  lab({"rival", kAddress});
  CHECK(becomes([&] { return has(stage.owners.overlap(), "n1 (") && has(stage.owners.overlap(), "rival ("); }, 20s));
  lab({"rival", "--gone"});
}

TEST_CASE("without fencing two nodes do have the address, and the watch on the LAN finds it") {
  ClusterStage stage;
  stage.cluster.property("no-quorum-policy", "ignore");
  stage.cluster.property("stonith-enabled", "false");
  const auto heard = [] {
    return has(Node("n1").must({"cibadmin", "--query", "--local"}), "\"stonith-enabled\" value=\"false\"");
  };
  REQUIRE(becomes(heard, 10s));
  // Its carrier stays, so that its own monitor finds nothing wrong.
  Node("lan").must({"ip", "link", "set", "n1", "nomaster"});
  CHECK(stage.owners.await_other(kAddress, "n1", 60s));
  CHECK(stage.owners.overlap() == "");
  // n1 has it still, and answers as soon as it is heard: which of the two is heard in the other's time is chance.
  Node("lan").must({"ip", "link", "set", "n1", "master", "lan"});
  CHECK_MESSAGE(
      becomes([&] { return has(stage.owners.overlap(), "n2 (") && has(stage.owners.overlap(), "n1 ("); }, 20s),
      stage.owners.overlap() << stage.owners.history(kAddress) << "\n"
                             << stage.cluster.status());
}

TEST_CASE("a node that cannot be fenced keeps its service from starting elsewhere, and crm_mon says so") {
  ClusterStage stage;
  lab({"cluster", "fencing", "fails"});
  lab({"cut", "n1"});
  const auto told = [&] { return has(stage.cluster.status(), "Failed Fencing Actions"); };
  CHECK_MESSAGE(becomes(told, 60s), stage.cluster.status());
  const std::string status = stage.cluster.status();
  CHECK_MESSAGE(has(status, "Node n1 (1): UNCLEAN (offline)"), status);
  CHECK_MESSAGE(has(status, "off of n1 failed"), status);
  CHECK(stage.cluster.where("web") != std::set<std::string>{"n2"});
  CHECK(Node("n2").must({"docker", "ps", "-q"}).empty());
  CHECK(stage.owners.history(kAddress) == "n1");
  CHECK(Node::is_up("n1"));
  // As soon as it can be fenced, it is, and the service starts.
  lab({"cluster", "fencing", "works"});
  stage.cluster.must({"stonith_admin", "--fence", "n1"});
  stage.check_runs_once_on("n2", "node partitioned, fencing mended by hand");
  CHECK_FALSE(Node::is_up("n1"));
  CHECK(stage.owners.history(kAddress) == "n1 n2");
}

TEST_CASE("a service whose address somebody else has runs nowhere, and crm_mon says who it is") {
  ClusterStage stage;
  stage.cluster.must({"crm_resource", "--resource", "web", "--meta", "--set-parameter", "target-role",
                      "--parameter-value", "Stopped"});
  REQUIRE(stage.cluster.await_at("web", {}));
  stage.cluster.settle();
  std::string mac = lab({"rival", kAddress});
  mac.pop_back();
  stage.cluster.must({"crm_resource", "--resource", "web", "--meta", "--delete-parameter", "target-role"});
  const auto refused = [&] {
    const std::string status = stage.cluster.status();
    return has(status, "web_start_0 on n1 'not installed'") && has(status, "web_start_0 on n2 'not installed'");
  };
  CHECK_MESSAGE(becomes(refused, 30s), stage.cluster.status());
  stage.cluster.settle();
  CHECK_MESSAGE(has(stage.cluster.status(), mac), stage.cluster.status());
  CHECK(stage.cluster.where("web").empty());
  for (const char* node : {"n1", "n2"}) CHECK(Node(node).must({"docker", "ps", "-q"}).empty());
  lab({"rival", "--gone"});
  stage.cluster.must({"crm_resource", "--cleanup", "--resource", "web"});
  CHECK_MESSAGE(stage.cluster.await_at("web", {"n1"}), stage.cluster.status());
  CHECK(stage.absence.await_answers(20s));
  CHECK(stage.owners.history(kAddress) == "n1 rival n1");
  stage.check_one_owner();
}

}  // namespace
}  // namespace plumb::lab
