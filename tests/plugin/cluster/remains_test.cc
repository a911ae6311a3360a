#include "plugin/cluster/remains.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <string>

#include "plugin/node/process_stat.h"

using namespace plumb;

namespace {

const std::string kBoot = "boot-1";
const std::string kCgroup = "/docker/0000000000000000000000000000000000000000000000000000000000000abc";
constexpr netns::NamespaceId kNamespace{4, 4026532999};
constexpr pid_t kOther = 4711;

IpAddress address() { return *IpAddress::parse("10.0.3.3"); }

// Of a container whose first process has ended.
Traces ended() {
  Traces out;
  out.boot = kBoot;
  out.containers = {{"container#0", 1, 1, {kCgroup}, TracedNamespace{kNamespace, 77}}};
  out.addresses = {{"ip#0", address()}};
  return out;
}

std::string found(const NodeScan& scan, const Traces& traces = ended()) { return find_remains(traces, scan, kBoot); }

}  // namespace

TEST_CASE("a service of which nothing is left is gone, whatever else runs") {
  NodeScan scan;
  CHECK(found(scan) == "");
  scan.inhabited[{4, 4026532998}] = {kOther, 77};
  scan.cgroups[kCgroup + "d"] = kOther;
  scan.cgroups["/"] = kOther;
  scan.own = {*IpAddress::parse("10.0.3.4")};
  scan.elsewhere = scan.own;
  CHECK(found(scan) == "");
}

TEST_CASE("its process is no other one that has its pid") {
  auto traces = ended();
  traces.containers[0].pid = ::getpid();
  CHECK(found({}, traces) == "");
  traces.containers[0].start_ticks = start_ticks_of(::getpid()).value();
  CHECK(found({}, traces) == "container#0 runs as process " + std::to_string(::getpid()));
}

TEST_CASE("a process in its namespace is its, but not one in a later namespace with that inode") {
  NodeScan scan;
  scan.inhabited[kNamespace] = {kOther, 77};
  CHECK(found(scan) == "process 4711 is in the network namespace of container#0");
  scan.inhabited[kNamespace].cookie = 78;
  CHECK(found(scan) == "");
  // A kernel that numbers none.
  scan.inhabited[kNamespace].cookie.reset();
  CHECK(found(scan) != "");
}

TEST_CASE("a process in its control group, or in one below, is its") {
  for (const std::string below : {"", "/init.scope"}) {
    NodeScan scan;
    scan.cgroups[kCgroup + below] = kOther;
    CHECK(found(scan) == "process 4711 is in the control group of container#0");
  }
}

TEST_CASE("an address is left on the node, where a process is, and where none is") {
  NodeScan own;
  own.own = {address()};
  CHECK(found(own) == "10.0.3.3 is on a device of this node");
  NodeScan elsewhere;
  elsewhere.elsewhere = {address()};
  CHECK(found(elsewhere) == "10.0.3.3 is where a process of this node is");
}

TEST_CASE("an address in a namespace without processes counts where that is the service's, and not in another") {
  NodeScan scan;
  scan.abandoned.push_back({netns::Namespace::current().value(), 77, {address()}});
  CHECK(found(scan) == "");
  auto traces = ended();
  traces.containers[0].ns->id = netns::Namespace::current().value().id();
  CHECK(found(scan, traces) == "the kernel still answers for 10.0.3.3");
  CHECK(find_remains(traces, scan, "boot-2") == "");
  scan.abandoned[0].cookie = 78;
  CHECK(found(scan, traces) == "");
}

TEST_CASE("what could not be looked at is not gone") {
  NodeScan blind;
  blind.complete = false;
  CHECK(found(blind) != "");
}

TEST_CASE("after another start of the machine no process and no namespace is its, and an address is") {
  NodeScan scan;
  scan.inhabited[kNamespace] = {kOther, 77};
  scan.cgroups[kCgroup] = kOther;
  CHECK(find_remains(ended(), scan, "boot-2") == "");
  scan.own = {address()};
  CHECK(find_remains(ended(), scan, "boot-2") != "");
}

TEST_CASE("a look at this node finds this process and its own addresses") {
  const auto scan = scan_node();
  CHECK(scan.own.contains(*IpAddress::parse("127.0.0.1")));
  CHECK_FALSE(scan.cgroups.empty());
  CHECK_FALSE(scan.inhabited.contains(netns::Namespace::current()->id()));
}

TEST_CASE("a container's control group is known by its id") {
  const std::string id(64, 'a');
  for (const std::string& path : {"/docker/" + id, "/system.slice/docker-" + id + ".scope", "/x/libpod-" + id + "/y"})
    CHECK(is_container_cgroup(path));
  for (const std::string& path :
       {std::string("/"), std::string("/user.slice"), "/" + id.substr(1) + "/" + id.substr(1)})
    CHECK_FALSE(is_container_cgroup(path));
}
