// What the planner does for each mode of a link: preconditions, the order of the steps, and what a stop takes away.
#include <doctest/doctest.h>

#include <algorithm>

#include "specs/plan/planner.h"
#include "specs/service/uplink.h"
#include "specs/status/status.h"
#include "specs/value/dedicated_mark.h"
#include "tests/specs/plan/plans.h"
#include "tests/specs/plan/svc1.h"

using namespace plumb;
using test::bare_node;
using test::operand;
using test::run_both;
using test::svc1;

namespace {

Service with(IpMode mode) {
  auto s = svc1();
  s.ips[0].mode = mode;
  return s;
}

Service on_vlan() {
  auto s = svc1();
  s.ips[0].vlan_tag = 42;
  return s;
}

std::optional<std::size_t> find(const Result<Plan>& plan, std::string_view kind) {
  REQUIRE_MESSAGE(plan.has_value(), (plan ? std::string{} : plan.error().what));
  for (std::size_t i = 0; i < plan->steps.size(); ++i)
    if (plan->steps[i].kind() == kind) return i;
  return std::nullopt;
}

// Whether `later` waits for `earlier`, by one step or several.
bool waits(const Plan& plan, std::size_t later, std::size_t earlier) {
  const auto& after = plan.steps[later].after;
  return std::any_of(after.begin(), after.end(),
                     [&](std::size_t i) { return i == earlier || waits(plan, i, earlier); });
}

bool waits(const Result<Plan>& plan, std::string_view later, std::string_view earlier) {
  const auto one = find(plan, later);
  const auto other = find(plan, earlier);
  return one && other && waits(*plan, *one, *other);
}

Observed with_spare() {
  auto o = bare_node();
  o.node.links.push_back({3, "eth1", "", {}, 1500, false, false, 0, 0});
  return o;
}

// A VLAN device of plumb's with these users.
ObservedLink vlan(const std::vector<std::string>& users) {
  ObservedLink link{7, "eth0.42", "vlan", {}, 1500, true, true, 2, 0};
  link.vlan_id = 42;
  link.group = kVlanGroup;
  link.vlan_users = users;
  return link;
}

}  // namespace

TEST_CASE("a device that is to be given away is probed from inside, once it is there") {
  auto s = with(IpMode::dedicated);
  s.ips[0].ipdev = "eth1";
  const auto p = plan(s, with_spare(), Verb::start);
  CHECK(waits(p, AddressProbe::kKind, LinkCreate::kKind));
  CHECK(waits(p, AddressAdd::kKind, AddressProbe::kKind));
  CHECK(describe(p->steps[*find(p, LinkCreate::kKind)]) == "move eth1 into container#0 as eth0");
}

TEST_CASE("a device that the node needs is not given away") {
  auto s = with(IpMode::dedicated);
  const auto addressed = plan(s, bare_node(), Verb::start);
  REQUIRE_FALSE(addressed);
  CHECK(addressed.error().what.find("carries an address of the node, 10.0.3.11/24") != std::string::npos);
  s.ips[0].ipdev = "eth1";
  auto port = with_spare();
  port.node.links.back().master = 9;
  CHECK_FALSE(plan(s, port, Verb::start));
  auto below = with_spare();
  below.node.links.push_back({8, "eth1.5", "vlan", {}, 1500, true, true, 3, 0});
  CHECK_FALSE(plan(s, below, Verb::start));
  const auto missing = plan(s, bare_node(), Verb::start);
  REQUIRE_FALSE(missing);
  CHECK(missing.error().kind == ErrorKind::not_found);
}

TEST_CASE("a device that is inside already is left, and a stop gives it back") {
  auto s = with(IpMode::dedicated);
  s.ips[0].ipdev = "eth1";
  auto o = bare_node();
  ObservedLink inside{3, "eth0", "", {}, 1500, true, true, 0, 0};
  inside.alias = DedicatedMark{"eth1", {}, 1500, false}.to_string();
  run_both(s, o, inside);
  CHECK(plan(s, o, Verb::start)->empty());
  CHECK(evaluate(s, o).state == Availability::up);
  const auto p = plan(s, o, Verb::stop);
  // Out before its namespace can go, also should the stop be killed between the two.
  for (std::size_t i = 0; i < p->steps.size(); ++i)
    if (p->steps[i].kind() == ContainerStop::kKind && p->steps[i].resource == "container#0")
      CHECK(waits(*p, i, find(p, LinkRemove::kKind).value()));
  CHECK(describe(p->steps[find(p, LinkRemove::kKind).value()]) == "give eth0 in container#0 back to the node as eth1");
}

TEST_CASE("a device that came home under another name is taken again by start, and renamed by stop") {
  auto s = with(IpMode::dedicated);
  s.ips[0].ipdev = "eth1";
  auto o = bare_node();
  ObservedLink stray{3, "dev3", "", {}, 1500, false, false, 0, 0};
  stray.alias = DedicatedMark{"eth1", {}, 1500, true}.to_string();
  o.node.links.push_back(stray);
  CHECK(find(plan(s, o, Verb::start), LinkCreate::kKind));
  const auto p = plan(s, o, Verb::stop);
  REQUIRE(p->steps.size() == 1);
  CHECK(describe(p->steps[0]) == "give dev3 its name eth1 back");
}

TEST_CASE("the mark of a device says all that it was") {
  const auto mac = Mac::parse("02:00:0a:00:03:03").value();
  const auto mark = DedicatedMark::parse(DedicatedMark{"eth1", mac, 9000, true}.to_string()).value();
  CHECK(mark.device == "eth1");
  CHECK(mark.mac == mac);
  CHECK(mark.mtu == 9000);
  CHECK(mark.up);
  CHECK_FALSE(DedicatedMark::parse("uplink to rack 5"));
  CHECK_FALSE(DedicatedMark::parse("plumb dedicated "));
  CHECK_FALSE(DedicatedMark::parse("plumb svc1 ip#0"));
}

TEST_CASE("a VLAN device that is missing is made before anything is done on it, and one by hand is used as it is") {
  const auto p = plan(on_vlan(), bare_node(), Verb::start);
  CHECK(operand<VlanTake>(p->steps[find(p, VlanTake::kKind).value()]).vlan.name == "eth0.42");
  CHECK(waits(p, LinkCreate::kKind, VlanTake::kKind));
  CHECK(waits(p, AddressProbe::kKind, VlanTake::kKind));
  auto by_name = svc1();
  by_name.ips[0].ipdev = "eth0.42";
  CHECK(find(plan(by_name, bare_node(), Verb::start), VlanTake::kKind));
  auto by_hand = bare_node();
  by_hand.node.links.push_back({7, "eth0.42", "vlan", {}, 1500, true, true, 2, 0});
  by_hand.node.links.back().vlan_id = 42;
  CHECK_FALSE(find(plan(by_name, by_hand, Verb::start), VlanTake::kKind));
  CHECK_FALSE(find(plan(by_name, by_hand, Verb::stop), VlanRelease::kKind));
}

TEST_CASE("who uses a VLAN device says so, and leaves it at stop, and an orphan is taken away") {
  auto o = bare_node();
  o.node.links.push_back(vlan({"plumb:svc2:ip#0"}));
  CHECK(find(plan(on_vlan(), o, Verb::start), VlanTake::kKind));
  CHECK_FALSE(find(plan(on_vlan(), o, Verb::stop), VlanRelease::kKind));
  o.node.links.back() = vlan({"plumb:svc2:ip#0", "plumb:svc1:ip#0"});
  CHECK_FALSE(find(plan(on_vlan(), o, Verb::start), VlanTake::kKind));
  const auto p = plan(on_vlan(), o, Verb::stop);
  CHECK(p->steps.size() == 1);
  CHECK(find(p, VlanRelease::kKind));
  // Also when the spec has gone to another VLAN since.
  CHECK(find(plan(svc1(), o, Verb::stop), VlanRelease::kKind));
  o.node.links.back() = vlan({});
  CHECK(find(plan(on_vlan(), o, Verb::stop), VlanRelease::kKind));
  auto standby = on_vlan();
  standby.ips[0].standby = true;
  o.node.links.back() = vlan({"plumb:svc1:ip#0"});
  CHECK_FALSE(find(plan(standby, o, Verb::stop), VlanRelease::kKind));
  CHECK(find(plan(standby, o, Verb::shutdown), VlanRelease::kKind));
}

TEST_CASE("what the kernel does not know is refused before anything is touched") {
  auto o = bare_node();
  o.lacking_kinds = {"ipvlan", "vlan"};
  for (const auto& s : {with(IpMode::ipvlan_l2), with(IpMode::ipvlan_l3s), on_vlan()}) {
    const auto refused = plan(s, o, Verb::start);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().kind == ErrorKind::unsupported);
    CHECK(refused.error().next.find("modprobe") != std::string::npos);
  }
  CHECK(plan(svc1(), o, Verb::start));
}

TEST_CASE("an ipvlan that routes has a default route of its own, and is not announced") {
  const auto p = plan(with(IpMode::ipvlan_l3), bare_node(), Verb::start);
  const auto& route = operand<RouteSet>(p->steps[find(p, RouteSet::kKind).value()]);
  CHECK_FALSE(route.gateway);
  CHECK_FALSE(find(p, AddressAnnounce::kKind));
  CHECK(find(plan(with(IpMode::ipvlan_l2), bare_node(), Verb::start), AddressAnnounce::kKind));
  auto nonrouted = with(IpMode::ipvlan_l3);
  nonrouted.ips[0].tags = {"nonrouted"};
  CHECK_FALSE(find(plan(nonrouted, bare_node(), Verb::start), RouteSet::kKind));
}

TEST_CASE("an ipvlan of another mode does not fit") {
  auto o = bare_node();
  ObservedLink inside{5, "eth0", "ipvlan", {}, 1500, true, true, 2, 0};
  inside.ipvlan_mode = "l2";
  run_both(svc1(), o, inside);
  CHECK(plan(with(IpMode::ipvlan_l2), o, Verb::start)->empty());
  CHECK(plan(with(IpMode::ipvlan_l3), o, Verb::start)->warnings.size() == 1);
}

TEST_CASE("a switch that does not answer, or lacks the bridge, refuses, and a port without its link goes at stop") {
  auto o = bare_node();
  auto s = with(IpMode::ovs);
  s.ips[0].ipdev = "br0";
  o.open_vswitch.error = Error{ErrorKind::unreachable, 0, "ask Open vSwitch: it does not answer", {}};
  CHECK_FALSE(plan(s, o, Verb::start));
  o.open_vswitch = {};
  o.open_vswitch.bridges = {"br1"};
  const auto none = plan(s, o, Verb::start);
  REQUIRE_FALSE(none);
  CHECK(none.error().what.find("br1") != std::string::npos);
  o.open_vswitch.bridges = {"br0"};
  const auto p = plan(s, o, Verb::start);
  CHECK(waits(p, AddressProbe::kKind, LinkCreate::kKind));
  o.open_vswitch.ports["ip#0"] = {"pl1.eth0"};
  CHECK(find(plan(s, o, Verb::stop), OvsRelease::kKind));
}

TEST_CASE("a port that is out of its bridge is no service that is up, and start makes it anew") {
  const auto s = svc1();
  Observed o = test::bare_node();
  o.node.links[1].kind = "bridge";
  o.node.links.push_back({7, "pl7", "veth", {}, 1500, true, true, 5, 2});
  test::run_both(s, o, {5, "eth0", "veth", {}, 1500, true, true, 7, 0});
  CHECK(evaluate(s, o).state == Availability::up);
  CHECK(plan(s, o, Verb::start).value().empty());
  for (const int master : {0, 9}) {
    CAPTURE(master);
    o.node.links[2].master = master;
    const auto status = evaluate(s, o);
    CHECK(status.state == Availability::degraded);
    REQUIRE_FALSE(status.resources.empty());
    bool said = false;
    for (const auto& r : status.resources)
      for (const auto& problem : r.problems)
        said = said || problem == "10.0.3.3: the port of eth0 is not in the bridge eth0";
    CHECK(said);
    const auto start = plan(s, o, Verb::start);
    REQUIRE(start);
    std::vector<std::string_view> kinds;
    for (const auto& step : start->steps)
      if (step.kind() == LinkRemoveStale::kKind || step.kind() == LinkCreate::kKind || step.kind() == AddressAdd::kKind)
        kinds.push_back(step.kind());
    CHECK(kinds == std::vector{LinkRemoveStale::kKind, LinkCreate::kKind, AddressAdd::kKind});
  }
}

TEST_CASE("a device that has the name of a VLAN device is one only with that tag on that device") {
  auto s = svc1();
  s.ips[0].vlan_tag = 61;
  auto o = bare_node();
  o.node.links.push_back({7, "eth0.61", "vlan", {}, 1500, true, true, 2, 0});
  o.node.links.back().vlan_id = 61;
  CHECK(plumb::plan(s, o, Verb::start));
  o.node.links.back().vlan_id = 42;
  auto refused = plumb::plan(s, o, Verb::start);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().what == "ip#0: vlan_tag = 61: there is a device eth0.61, and it is VLAN 42 of eth0");
  o.node.links.back().kind = "dummy";
  refused = plumb::plan(s, o, Verb::start);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().what ==
        "ip#0: vlan_tag = 61: there is a device eth0.61, and it is no VLAN device, but of kind dummy");
  // Who names the device itself gets it, whatever it is.
  s.ips[0].vlan_tag.reset();
  s.ips[0].ipdev = "eth0.61";
  CHECK(plumb::plan(s, o, Verb::start));
}

TEST_CASE("all ipvlans on a device have one mode, and a start does not change that of others") {
  auto s = svc1();
  s.ips[0].mode = IpMode::ipvlan_l2;
  auto o = bare_node();
  o.ipvlan_parents["eth0"] = {IpMode::ipvlan_l2, "service other"};
  o.ipvlan_parents["eth1"] = {IpMode::ipvlan_l3s, "process 4711 (nginx)"};
  CHECK(plumb::plan(s, o, Verb::start));
  s.ips[0].mode = IpMode::ipvlan_l3s;
  const auto refused = plumb::plan(s, o, Verb::start);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().what ==
        "ip#0: mode = ipvlan-l3s: device eth0 has ipvlans in mode ipvlan-l2 of service other, and all on one device "
        "have one mode");
  o.ipvlan_parents.clear();
  CHECK(plumb::plan(s, o, Verb::start));
  o.node.links.push_back({9, "ipvl0", "ipvlan", {}, 1500, true, true, 2, 0});
  o.node.links.back().ipvlan_mode = "l3s";
  CHECK(plumb::plan(s, o, Verb::start));
  o.node.links.back().ipvlan_mode = "l3";
  CHECK_FALSE(plumb::plan(s, o, Verb::start));
}

TEST_CASE("a user of a VLAN device says whose it is, and the mark of the device is none") {
  const auto user = vlan_user("web", "ip#0");
  CHECK(user == "plumb:web:ip#0");
  CHECK(is_vlan_user(user));
  CHECK(vlan_user_resource("web", user) == "ip#0");
  CHECK(vlan_user_resource("we", user).empty());
  CHECK(vlan_user_service(user) == "web");
  CHECK(vlan_user_service(vlan_user("docker", "0123456789ab")).empty());
  const auto mark = vlan_mark_name("0123456789abcdef");
  CHECK(vlan_mark(mark) == "0123456789abcdef");
  CHECK(vlan_mark(user).empty());
  for (const std::string_view name : {std::string_view(mark), std::string_view("enp3s0")}) {
    CHECK_FALSE(is_vlan_user(name));
    CHECK(vlan_user_service(name).empty());
    CHECK(vlan_user_resource("web", name).empty());
  }
}

TEST_CASE("nothing is made upon a bridge's port, and what is upon the bridge is") {
  auto s = svc1();
  auto o = bare_node();
  o.node.links.push_back({5, "br0", "bridge", {}, 1500, true, true, 0, 0});
  CHECK(plumb::plan(s, o, Verb::start));
  o.node.links[1].master = 5;
  const auto refused = plumb::plan(s, o, Verb::start);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().what == "ip#0: device eth0 is a port of br0 (bridge), and no link can be made upon it");
  CHECK(refused.error().next == "set ipdev = br0 in [ip#0]");
  s.ips[0].ipdev = "br0";
  CHECK(plumb::plan(s, o, Verb::start));
  // A VRF takes no frames away from its devices.
  s.ips[0].ipdev = "eth0";
  o.node.links.back().kind = "vrf";
  CHECK(plumb::plan(s, o, Verb::start));
}
