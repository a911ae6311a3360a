// Plans and states of services with containers on standby and addresses inside containers.
#include <doctest/doctest.h>

#include <algorithm>

#include "specs/plan/planner.h"
#include "specs/status/status.h"
#include "tests/specs/plan/svc1.h"

using namespace plumb;
using test::bare_node;

namespace {

// The encapsulated service of the reference.
Service encapsulated() {
  Service s;
  s.name = "svc1";
  s.node = "n1";
  s.nodes = {"n1", "n2"};
  ContainerResource vm;
  vm.id = "container#0";
  vm.name = "vm1";
  vm.existing = true;
  vm.standby = true;
  s.containers = {vm};
  IpResource ip;
  ip.id = "ip#0";
  ip.type = IpType::encap;
  ip.names = {"10.0.3.21"};
  ip.ipdev = "eth0";
  ip.netns = "container#0";
  s.ips = {ip};
  return s;
}

Observed with_vm(bool running) {
  Observed o = bare_node();
  ObservedContainer vm;
  vm.id = "aaa";
  vm.name = "vm1";
  vm.state = running ? "running" : "exited";
  vm.running = running;
  vm.network_mode = "lan";
  if (running) {
    ObservedNetns ns;
    ns.inode = 88;
    ns.links = {{1, "lo", "", {}, 65536, true, true, 0, 0}, {7, "eth0", "macvlan", {}, 1500, true, true, 2, 0}};
    ns.addresses = {{Cidr::parse("10.0.3.41/24").value(), 7, false, false}};
    vm.netns = ns;
  }
  o.containers = {{"container#0", vm}};
  return o;
}

Observed with_address() {
  Observed o = with_vm(true);
  o.containers["container#0"].netns->addresses.push_back({Cidr::parse("10.0.3.21/24").value(), 7, false, false});
  return o;
}

std::string steps(const Result<Plan>& plan) {
  if (!plan) return plan.error().what;
  std::string out;
  for (const auto& step : plan->steps) out += (out.empty() ? "" : "; ") + describe(step);
  return out + (plan->partial ? "; ..." : "");
}

}  // namespace

TEST_CASE("an address inside a container waits for the container, whose device gives the netmask") {
  const auto s = encapsulated();
  CHECK(steps(plan(s, with_vm(false), Verb::start)) == "start container vm1; ...");
  const auto rest = plan(s, with_vm(true), Verb::start);
  CHECK(steps(rest) ==
        "probe 10.0.3.21 on eth0 in container#0: nobody else may answer; add 10.0.3.21/24 on eth0 in container#0; "
        "announce 10.0.3.21 on eth0 in container#0");
  CHECK(rest->steps[1].after == std::vector<std::size_t>{0});
  CHECK(plan(s, with_address(), Verb::start)->empty());
}

TEST_CASE("boot starts what is on standby, stop leaves it, shutdown ends it") {
  const auto s = encapsulated();
  CHECK(steps(plan(s, with_vm(false), Verb::boot)) == "start container vm1");
  CHECK(plan(s, with_vm(true), Verb::boot)->empty());
  CHECK(steps(plan(s, with_address(), Verb::stop)) == "remove 10.0.3.21/24 on eth0 in container#0");
  CHECK(plan(s, with_vm(true), Verb::stop)->empty());
  const auto all = plan(s, with_address(), Verb::shutdown);
  CHECK(steps(all) == "remove 10.0.3.21/24 on eth0 in container#0; stop container vm1");
  CHECK(all->steps[1].after == std::vector<std::size_t>{0});
}

TEST_CASE("a private engine stays as long as somebody on standby needs it") {
  auto s = encapsulated();
  s.docker_data_dir = "/srv/svc1/docker";
  auto o = with_address();
  o.engine.is_private = true;
  CHECK(steps(plan(s, o, Verb::stop)).find("Docker Engine") == std::string::npos);
  CHECK(steps(plan(s, o, Verb::shutdown)).find("stop the service's own Docker Engine") != std::string::npos);
}

TEST_CASE("what is wrong inside the container is said with its name, and nothing is planned") {
  const auto s = encapsulated();
  auto o = with_vm(true);
  auto& ns = *o.containers["container#0"].netns;
  std::string expected;
  SUBCASE("no such device") {
    ns.links.pop_back();
    expected = "ip#0: device eth0, container#0: no such device (there are: lo)";
  }
  SUBCASE("down") {
    ns.links.back().up = false;
    expected = "ip#0: device eth0, container#0: it is down";
  }
  SUBCASE("the address is on another device there") {
    ns.addresses.push_back({Cidr::parse("10.0.3.21/32").value(), 1, false, false});
    expected = "ip#0: address 10.0.3.21: container#0 has it on lo";
  }
  SUBCASE("it runs in the node's own namespace") {
    o.containers["container#0"].netns.reset();
    expected = "ip#0: container#0 has no network namespace of its own: it runs in the node's";
  }
  SUBCASE("there is no such container") {
    o.containers.clear();
    expected = "container#0: container vm1: there is none, and without image it cannot be created";
  }
  CHECK(steps(plan(s, o, Verb::start)) == expected);
}

TEST_CASE("a container on standby makes no service up, and shows its own addresses") {
  const auto s = encapsulated();
  CHECK(evaluate(s, with_vm(false)).state == Availability::down);
  const auto waiting = evaluate(s, with_vm(true));
  CHECK(waiting.state == Availability::down);
  CHECK(waiting.resources[1].state == Availability::up);
  CHECK(waiting.resources[1].label.find("10.0.3.41/24 on eth0") != std::string::npos);
  const auto up = evaluate(s, with_address());
  CHECK(up.state == Availability::up);
  CHECK(up.resources[0].label == "10.0.3.21/24 on eth0 in container#0");
  CHECK(up.resources[1].label.find("10.0.3.21") == std::string::npos);
  auto alone = s;
  alone.ips.clear();
  CHECK(evaluate(alone, with_vm(true)).state == Availability::up);
}
