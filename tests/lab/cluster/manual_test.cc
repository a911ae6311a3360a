// The commands of plumb-pacemaker(7), run as they stand there. Left out is what needs a machine's own power switch.
#include <doctest/doctest.h>

#include "tests/lab/cluster/cluster.h"
#include "tests/lab/pages/player.h"
#include "tests/pages/page.h"

namespace plumb::lab {
namespace {

using namespace std::chrono_literals;

// The commands of the blocks that begin with the tool's name, and have `part`.
Words commands(const std::string& tool, const std::string& part, const std::string& section = {}) {
  Words out;
  for (const auto& block : pages::blocks_for("cluster_test")) {
    if (!block.commands.front().text.starts_with(tool + " ")) continue;
    if (!section.empty() && block.section != section) continue;
    Words words;
    bool has = false;
    for (const auto& command : block.commands) {
      words.push_back(command.text);
      has = has || command.text.find(part) != std::string::npos;
    }
    if (has) out.insert(out.end(), words.begin(), words.end());
  }
  REQUIRE_FALSE(out.empty());
  return out;
}

// The same as one script.
std::string script(const std::string& tool, const std::string& part) {
  std::string out = "set -e\n";
  for (const auto& command : commands(tool, part)) out += command + "\n";
  return out;
}

const std::string kFlex = R"(
[DEFAULT]
nodes = n1 n2
topology = flex
[ip#0]
ipname@n1 = 10.0.3.31
ipname@n2 = 10.0.3.32
netmask = 24
ipdev = eth0
)";

// Whether Pacemaker has monitored it there at this interval, and found it running.
bool monitored(const std::string& resource, const std::string& node, const std::string& milliseconds) {
  const std::string done = "//node_state[@uname='" + node + "']//lrm_resource[@id='" + resource +
                           "']/lrm_rsc_op[@operation='monitor'][@interval='" + milliseconds + "'][@rc-code='0']";
  return Node("n3").run({"cibadmin", "--query", "--xpath", done}).exit_code == 0;
}

TEST_CASE("the commands of the manual for pcs and for crmsh make a service and a clone") {
  const Cluster cluster;
  const Service svc1("svc1", reference_spec());
  const Service svc2("svc2", kFlex);
  for (const std::string tool : {"pcs", "crm"}) {
    CAPTURE(tool);
    const Outcome made = Node("n1").run({"bash", "-c", script(tool, "ocf:plumb:service")});
    CHECK_MESSAGE(made.exit_code == 0, made.out << made.err);
    CHECK_MESSAGE(made.err.find("rror") == std::string::npos, made.err);
    const auto up = [&] {
      return cluster.where("svc1") == std::set<std::string>{"n1"} &&
             cluster.where("svc2") == std::set<std::string>{"n1", "n2"};
    };
    CHECK_MESSAGE(becomes(up, 60s), cluster.status());
    cluster.settle();
    CHECK_MESSAGE(cluster.status().find("Failed") == std::string::npos, cluster.status());
    CHECK(answers("10.0.3.3"));
    CHECK(Node("client").run({"ping", "-c", "1", "-W", "2", "10.0.3.32"}).exit_code == 0);
    CHECK(monitored("svc1", "n1", "10000"));
    for (const std::string node : {"n1", "n2"}) CHECK(monitored("svc2", node, "10000"));
    CHECK_FALSE(monitored("svc1", "n1", "60000"));
    if (tool == "pcs") {
      cluster.must({"bash", "-c", script(tool, "OCF_CHECK_LEVEL=10")});
      CHECK_MESSAGE(becomes([] { return monitored("svc1", "n1", "60000"); }, 30s), cluster.status());
    }
    cluster.clear();
  }
}

TEST_CASE("the commands of the manual for every day and for a move: it runs after each block, and is moved") {
  const Cluster cluster;
  const Service svc1("svc1", reference_spec());
  const Node n1("n1");
  for (const std::string tool : {"pcs", "crm"}) {
    CAPTURE(tool);
    n1.must({"bash", "-c", script(tool, tool == "pcs" ? "create svc1" : "primitive svc1")});
    REQUIRE_MESSAGE(cluster.await_at("svc1", {"n1"}), cluster.status());
    cluster.settle();
    for (const std::string part : {"restart svc1", "unmanage svc1"})
      for (const auto& command : commands(tool, part, "EVERY DAY")) {
        CAPTURE(command);
        const Outcome done = n1.start({"bash", "-c", command}, {path_with_plumb(n1)}).wait(120s);
        CHECK_MESSAGE(done.exit_code == 0, done.out << done.err);
        cluster.settle();
      }
    CHECK_MESSAGE(cluster.await_at("svc1", {"n1"}), cluster.status());
    for (const auto& command : commands(tool, "move svc1", "A MOVE")) {
      CAPTURE(command);
      const Outcome done = n1.run({"bash", "-c", command}, 120s);
      CHECK_MESSAGE(done.exit_code == 0, done.out << done.err);
      CHECK_MESSAGE(cluster.await_at("svc1", {"n2"}), cluster.status());
    }
    cluster.clear();
  }
}

TEST_CASE("the commands of the manual for a lost site bring the service to the third node, and not earlier, and back") {
  const Cluster cluster;
  const Service svc1("svc1", reference_spec());
  Node("n1").must({"bash", "-c", script("pcs", "create svc1")});
  REQUIRE_MESSAGE(becomes([&] { return !cluster.where("svc1").empty(); }, 60s), cluster.status());
  cluster.settle();
  lab({"kill", "n1"});
  lab({"kill", "n2"});
  const auto alone = [&] { return cluster.status().find("WITHOUT quorum") != std::string::npos; };
  REQUIRE_MESSAGE(becomes(alone, 30s), cluster.status());
  cluster.settle();
  CHECK_MESSAGE(cluster.where("svc1") != std::set<std::string>{"n3"}, cluster.status());
  cluster.must({"bash", "-c", script("pcs", "no-quorum-policy=ignore")});
  CHECK_MESSAGE(cluster.await_at("svc1", {"n3"}), cluster.status());
  CHECK(answers("10.0.3.3"));
  lab({"cluster", "up", "--plumb", program()});
  cluster.settle();
  CHECK_MESSAGE(cluster.where("svc1") == std::set<std::string>{"n3"}, cluster.status());
  cluster.must({"bash", "-c", script("pcs", "no-quorum-policy=stop")});
  CHECK_MESSAGE(cluster.await_at("svc1", {"n1"}), cluster.status());
  const Cluster whole;
}

}  // namespace
}  // namespace plumb::lab
