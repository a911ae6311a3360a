#include "tests/lab/cluster/cluster.h"

#include <doctest/doctest.h>

#include <optional>
#include <regex>
#include <thread>

namespace plumb::lab {
namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

// Whether the node's engine runs something of the service; an engine that is away does not say.
std::optional<bool> runs(const Node& node) {
  const Outcome listed = node.run({"docker", "ps", "-q", "--filter", "label=plumb.service=web"});
  return listed.exit_code == 0 ? std::optional(!listed.out.empty()) : std::nullopt;
}

}  // namespace

// What a test that was killed may have left is put right, too.
Cluster::Cluster() {
  lab({"rival", "--gone"});
  lab({"cluster", "fencing", "works"});
  lab({"cluster", "up", "--plumb", program()});
  property("stonith-enabled", "true");
  property("no-quorum-policy", "stop");
  seat_.run({"crm_attribute", "--type", "nodes", "--node", "n1", "--name", "standby", "--delete"});
  clear();
}

void Cluster::add(const std::string& resources, const std::string& constraints) const {
  must({"cibadmin", "--modify", "--allow-create", "--scope", "configuration", "--xml-text",
        "<configuration><resources>" + resources + "</resources><constraints>" + constraints +
            "</constraints></configuration>"});
}

void Cluster::property(const std::string& name, const std::string& value) const {
  must({"crm_attribute", "--type", "crm_config", "--name", name, "--update", value});
}

void Cluster::clear() const {
  must({"cibadmin", "--replace", "--scope", "constraints", "--xml-text", "<constraints/>"});
  must({"cibadmin", "--delete-all", "--force", "--xpath", "/cib/configuration/resources/*[not(@id='fencing')]"});
  settle();
  must({"crm_resource", "--cleanup"});
  seat_.run({"stonith_admin", "--cleanup", "--history", "*"});
  settle();
}

// crm_resource --wait does the same, and sleeps 2 s in between.
void Cluster::settle() const {
  const bool done = becomes(
      [&] {
        return must({"crm_simulate", "--live-check", "--quiet", "--save-graph", "/dev/stdout"}).find("<synapse") ==
               std::string::npos;
      },
      60s);
  CHECK_MESSAGE(done, status());
}

std::map<std::string, std::set<std::string>> Cluster::everywhere() const {
  const std::string text = seat_.run({"crm_mon", "--one-shot", "--output-as", "xml"}).out;
  std::map<std::string, std::set<std::string>> places;
  static const std::regex resource(R"(<resource id="([^":]*)[^>]* role="Started"[^>]*[^/]>([^]*?)</resource>)");
  static const std::regex node("<node name=\"([^\"]*)\"");
  for (std::sregex_iterator one(text.begin(), text.end(), resource), end; one != end; ++one) {
    const std::string body = (*one)[2];
    for (std::sregex_iterator on(body.begin(), body.end(), node); on != end; ++on) places[(*one)[1]].insert((*on)[1]);
  }
  return places;
}

std::set<std::string> Cluster::where(const std::string& resource) const {
  const auto places = everywhere();
  const auto found = places.find(resource);
  return found == places.end() ? std::set<std::string>() : found->second;
}

bool Cluster::await_at(const std::string& resource, const std::set<std::string>& nodes,
                       std::chrono::milliseconds deadline) const {
  return becomes([&] { return where(resource) == nodes; }, deadline);
}

std::string Cluster::status() const {
  return seat_.run({"crm_mon", "--one-shot", "--inactive", "--failcounts", "--show-detail"}).out;
}

std::string service_xml(const std::string& service, bool migrates) {
  const auto operation = [&](const std::string& name, const std::string& interval, const std::string& timeout) {
    return "<op id='" + service + "-" + name + "' name='" + name + "' interval='" + interval + "' timeout='" + timeout +
           "'/>";
  };
  return "<primitive id='" + service + "' class='ocf' provider='plumb' type='service'><instance_attributes id='" +
         service + "-is'><nvpair id='" + service + "-name' name='service' value='" + service +
         "'/></instance_attributes><meta_attributes id='" + service + "-meta'><nvpair id='" + service +
         "-stay' name='resource-stickiness' value='1000'/><nvpair id='" + service +
         "-threshold' name='migration-threshold' value='3'/><nvpair id='" + service +
         "-migrates' name='allow-migrate' value='" + (migrates ? "true" : "false") +
         "'/></meta_attributes><operations>" + operation("start", "0", "40s") + operation("stop", "0", "30s") +
         operation("migrate_to", "0", "30s") + operation("migrate_from", "0", "40s") +
         operation("monitor", "2s", "15s") + "</operations></primitive>";
}

std::string placed_xml(const std::string& resource) {
  const auto location = [&](const std::string& node, const std::string& score) {
    return "<rsc_location id='" + resource + "-" + node + "' rsc='" + resource + "' node='" + node + "' score='" +
           score + "'/>";
  };
  return location("n1", "200") + location("n2", "100") + location("n3", "-INFINITY");
}

ClusterStage::ClusterStage(const std::string& spec, bool migrates) : web("web", spec) {
  cluster.add(service_xml("web", migrates), placed_xml("web"));
  REQUIRE_MESSAGE(cluster.await_at("web", {"n1"}), cluster.status());
  cluster.settle();
  REQUIRE(absence.await_answers(20s));
  absence.begin();
}

ClusterStage::~ClusterStage() { const Cluster whole; }

void ClusterStage::check_runs_once_on(const std::string& node, const std::string& fault) {
  CHECK_MESSAGE(owners.await_other("10.0.3.3", node == "n1" ? "n2" : "n1", 60s), owners.history("10.0.3.3"));
  CHECK(absence.await_answers(60s));
  std::printf("absence: %s: %s\n", fault.c_str(), absence.to_string().c_str());
  CHECK_MESSAGE(cluster.await_at("web", {node}), cluster.status());
  cluster.settle();
  CHECK_MESSAGE(cluster.where("web") == std::set<std::string>{node}, cluster.status());
  for (const char* name : {"n1", "n2", "n3"}) {
    if (!Node::is_up(name)) continue;
    INFO(name);
    const auto it_runs = runs(Node(name));
    CHECK(it_runs.value_or(name == node) == (name == node));
  }
  check_one_owner();
}

void ClusterStage::check_one_owner() const {
  CHECK(becomes([this] { return owners.asked() > 100; }, 10s));
  CHECK(owners.overlap() == "");
}

}  // namespace plumb::lab
