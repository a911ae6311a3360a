// Many services at once: a node with all of them leaves.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <memory>

#include "tests/lab/cluster/cluster.h"

namespace plumb::lab {
namespace {

using namespace std::chrono_literals;

constexpr int kServices = 20;
constexpr int kContainers = 3;

struct One {
  std::string name;
  std::string address;
  std::unique_ptr<Service> service;
};

std::string spec(const std::string& address) {
  return edited(shared_engine_spec(), "ipname", "ipname = " + address) +
         R"(
[container#2]
type = docker
image = busybox
command = sh -c "trap exit TERM; sleep 1000 & wait"
netns = container#0
)";
}

long running(const std::string& node) {
  const std::string ids = Node(node).must({"docker", "ps", "-q", "--filter", "label=plumb.service"});
  return std::count(ids.begin(), ids.end(), '\n');
}

// The services, all preferring n1.
std::vector<One> make(const Cluster& cluster) {
  std::vector<One> all;
  std::string resources;
  std::string constraints;
  for (int i = 0; i < kServices; ++i) {
    One one{"many" + std::to_string(i), "10.0.3." + std::to_string(150 + i), nullptr};
    one.service = std::make_unique<Service>(one.name, spec(one.address));
    resources += service_xml(one.name);
    constraints += "<rsc_location id='" + one.name + "-n1' rsc='" + one.name + "' node='n1' score='200'/>";
    all.push_back(std::move(one));
  }
  cluster.add(resources, constraints);
  return all;
}

// Whether each of them is started once, on one of the nodes.
bool started(const Cluster& cluster, const std::vector<One>& all, const std::set<std::string>& nodes) {
  const auto places = cluster.everywhere();
  return std::all_of(all.begin(), all.end(), [&](const One& one) {
    const auto found = places.find(one.name);
    return found != places.end() && found->second.size() == 1 && nodes.contains(*found->second.begin());
  });
}

// Each has left n1 for one other node and answers there. Returns how long each address was away, in order.
std::vector<std::chrono::milliseconds> check_moved(const Owners& owners, const std::vector<One>& all) {
  std::vector<std::chrono::milliseconds> away;
  for (const One& one : all) {
    CAPTURE(one.address);
    CHECK(owners.await_other(one.address, "n1", 20s));
    const std::string history = owners.history(one.address);
    CHECK_MESSAGE((history == "n1 n2" || history == "n1 n3"), history);
    CHECK(answers(one.address));
    away.push_back(owners.absence(one.address));
  }
  CHECK(owners.overlap() == "");
  std::sort(away.begin(), away.end());
  return away;
}

TEST_CASE("twenty services of three containers move at once: all are up, and none was twice") {
  const Cluster cluster;
  const auto all = make(cluster);
  REQUIRE_MESSAGE(becomes([&] { return started(cluster, all, {"n1"}); }, 120s), cluster.status());
  cluster.settle();
  CHECK(running("n1") == kServices * kContainers);

  std::vector<std::string> addresses;
  std::transform(all.begin(), all.end(), std::back_inserter(addresses), [](const One& one) { return one.address; });
  const Owners owners(addresses, 20ms);
  REQUIRE(becomes([&] { return owners.asked() > 10; }, 10s));
  const auto begin = std::chrono::steady_clock::now();
  cluster.must({"crm_attribute", "--type", "nodes", "--node", "n1", "--name", "standby", "--update", "on"});
  CHECK_MESSAGE(becomes([&] { return started(cluster, all, {"n2", "n3"}); }, 120s), cluster.status());
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  cluster.settle();
  const auto away = check_moved(owners, all);
  CHECK(running("n1") == 0);
  CHECK(running("n2") + running("n3") == kServices * kContainers);
  std::printf("absence: %d services moved at once: address %lld ms (median), %lld ms (longest), all up after %.1f s\n",
              kServices, static_cast<long long>(away[away.size() / 2].count()),
              static_cast<long long>(away.back().count()), took.count());
  cluster.must({"crm_attribute", "--type", "nodes", "--node", "n1", "--name", "standby", "--delete"});
  cluster.clear();
}

}  // namespace
}  // namespace plumb::lab
