// The node's own way to addresses on macvlans: when it is made, missed, and taken away.
#include <doctest/doctest.h>

#include <algorithm>

#include "specs/plan/planner.h"
#include "specs/status/status.h"
#include "tests/specs/plan/plans.h"
#include "tests/specs/plan/svc1.h"

using namespace plumb;
using test::bare_node;
using test::operand;
using test::run_both;
using test::svc1;

namespace {

Service reachable() {
  auto s = svc1();
  s.ips[0].host_access = true;
  return s;
}

bool has(const Result<Plan>& plan, std::string_view kind) {
  REQUIRE(plan.has_value());
  return std::any_of(plan->steps.begin(), plan->steps.end(), [&](const Step& step) { return step.kind() == kind; });
}

// The node's link for eth0, with a route to each of the addresses.
void give_way(Observed& o, const std::vector<std::string>& addresses) {
  o.node.links.push_back({9, "plh2", "macvlan", {}, 1500, true, true, 2, 0});
  for (const auto& address : addresses) o.node.routes.push_back({Cidr::parse(address + "/32").value(), {}, 9});
}

}  // namespace

TEST_CASE("the node's way to an address is made after the address, on a macvlan only") {
  const auto p = plan(reachable(), bare_node(), Verb::start);
  REQUIRE(has(p, HostAccessGrant::kKind));
  std::size_t grant = 0;
  std::size_t add = 0;
  for (std::size_t i = 0; i < p->steps.size(); ++i) {
    if (p->steps[i].kind() == HostAccessGrant::kKind) grant = i;
    if (p->steps[i].kind() == AddressAdd::kKind) add = i;
  }
  const auto& after = p->steps[grant].after;
  CHECK(std::find(after.begin(), after.end(), add) != after.end());
  CHECK_FALSE(has(plan(svc1(), bare_node(), Verb::start), HostAccessGrant::kKind));
  auto on_bridge = bare_node();
  on_bridge.node.links[1].kind = "bridge";
  CHECK_FALSE(has(plan(reachable(), on_bridge, Verb::start), HostAccessGrant::kKind));
}

TEST_CASE("an IPv6 address has a way of its own") {
  auto s = reachable();
  s.ips[0].names = plumb::test::ip_names({"10.0.3.3", "fd00:10:3::3"});
  s.ips[0].netmask_v6 = 64;
  const auto granted = [&](const Observed& o) {
    std::vector<std::string> out;
    const auto p = plan(s, o, Verb::start);
    for (const auto& step : p->steps)
      if (step.kind() == HostAccessGrant::kKind) out.push_back(operand<HostAccessGrant>(step).address.to_string());
    return out;
  };
  auto o = bare_node();
  run_both(s, o, {5, "eth0", "macvlan", {}, 1500, true, true, 2, 0});
  give_way(o, {"10.0.3.3"});
  CHECK(granted(o) == std::vector<std::string>{"fd00:10:3::3"});
  // A new link has another MAC, and the node is told again.
  o.containers["container#0"].netns->links.clear();
  CHECK(granted(o) == std::vector<std::string>{"10.0.3.3", "fd00:10:3::3"});
}

TEST_CASE("stop takes the ways of its own addresses away, and no other's") {
  Observed o = bare_node();
  give_way(o, {"10.0.3.3", "10.0.3.9"});
  const auto p = plan(reachable(), o, Verb::stop);
  REQUIRE(has(p, HostAccessRevoke::kKind));
  CHECK(p->steps.size() == 1);
  CHECK(operand<HostAccessRevoke>(p->steps[0]).address.to_string() == "10.0.3.3");

  Observed others = bare_node();
  give_way(others, {"10.0.3.9"});
  CHECK(plan(reachable(), others, Verb::stop)->empty());

  // A configuration that no longer asks for it still takes away what it had asked for.
  CHECK(has(plan(svc1(), o, Verb::stop), HostAccessRevoke::kKind));
}

TEST_CASE("a link that a killed start left without a route is taken away") {
  Observed o = bare_node();
  give_way(o, {});
  CHECK(has(plan(reachable(), o, Verb::stop), HostAccessRevoke::kKind));
}

TEST_CASE("an address that the node cannot reach is degraded, and put right by start") {
  const auto s = reachable();
  Observed o = bare_node();
  test::run_both(s, o, {5, "eth0", "macvlan", {}, 1500, true, true, 2, 0});
  const auto status = evaluate(s, o);
  CHECK(status.state == Availability::degraded);
  CHECK(status.resources[0].problems.at(0).find("the node itself cannot reach it") != std::string::npos);
  const auto p = plan(s, o, Verb::start);
  CHECK(p->steps.size() == 1);
  CHECK(has(p, HostAccessGrant::kKind));
  give_way(o, {"10.0.3.3"});
  CHECK(evaluate(s, o).state == Availability::up);
  CHECK(plan(s, o, Verb::start)->empty());
}
