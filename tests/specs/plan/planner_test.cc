#include "specs/plan/planner.h"
#include "specs/plan/parent_link.h"
#include "specs/plan/planned_address.h"
#include "specs/service/uplink.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "tests/specs/plan/plans.h"
#include "tests/specs/plan/svc1.h"

using namespace plumb;
using test::bare_node;
using test::comes_after;
using test::index_of;
using test::kinds;
using test::must_plan;
using test::operand;
using test::svc1;

namespace {

ObservedContainer ours(const ContainerResource& c, const std::string& id) {
  ObservedContainer out;
  out.id = id;
  out.name = c.name;
  out.image = c.image;
  out.state = "running";
  out.running = true;
  out.service = "svc1";
  out.resource = c.id;
  out.spec_hash = spec_hash(c);
  out.auto_remove = c.rm;
  return out;
}

// svc1 up and whole.
Observed whole(const Service& s) {
  Observed o = bare_node();
  auto pause = ours(s.containers[0], "aaa");
  pause.network_mode = "none";
  ObservedNetns ns;
  ns.inode = 77;
  ns.links = {{1, "lo", "", {}, 65536, true, true, 0, 0}, {5, "eth0", "macvlan", {}, 1500, true, true, 2, 0}};
  ns.addresses = {{Cidr::parse("10.0.3.3/24").value(), 5, false, false}};
  ns.routes = {{std::nullopt, IpAddress::parse("10.0.3.1").value(), 5}};
  pause.netns = ns;
  auto web = ours(s.containers[1], "bbb");
  web.network_mode = "container:aaa";
  web.netns = ObservedNetns{0, 77, {}, {}, {}};
  o.containers = {{"container#0", pause}, {"container#1", web}};
  return o;
}

}  // namespace

TEST_CASE("start from nothing has every step, in the order that safety asks for") {
  const auto p = must_plan(svc1(), bare_node(), Verb::start);
  CHECK(p.steps.size() == 11);
  const auto probe = index_of(p, AddressProbe::kKind, "ip#0");
  const auto pause_start = index_of(p, ContainerStart::kKind, "container#0");
  const auto link = index_of(p, LinkCreate::kKind, "ip#0");
  const auto address = index_of(p, AddressAdd::kKind, "ip#0");
  const auto route = index_of(p, RouteSet::kKind, "ip#0");
  const auto announce = index_of(p, AddressAnnounce::kKind, "ip#0");
  const auto web_create = index_of(p, ContainerCreate::kKind, "container#1");
  const auto web_start = index_of(p, ContainerStart::kKind, "container#1");
  CHECK(comes_after(p, link, pause_start));
  CHECK(comes_after(p, address, link));
  CHECK(comes_after(p, address, probe));
  CHECK(comes_after(p, route, address));
  CHECK(comes_after(p, announce, address));
  CHECK(comes_after(p, web_start, announce));
  CHECK(comes_after(p, web_start, web_create));
  // And nothing waits that need not: the probe beside the pause, the sibling's creation beside the pause's start.
  CHECK(p.steps[probe].after.empty());
  CHECK_FALSE(comes_after(p, pause_start, probe));
  CHECK_FALSE(comes_after(p, web_create, pause_start));
}

TEST_CASE("steps come after the steps they depend on") {
  for (const auto& p : {must_plan(svc1(), bare_node(), Verb::start), must_plan(svc1(), whole(svc1()), Verb::stop)})
    for (std::size_t i = 0; i < p.steps.size(); ++i)
      for (const auto before : p.steps[i].after) CHECK(before < i);
}

TEST_CASE("starting a whole service, and stopping an absent one, is nothing to do") {
  CHECK(must_plan(svc1(), whole(svc1()), Verb::start).empty());
  CHECK(must_plan(svc1(), bare_node(), Verb::stop).empty());
}

TEST_CASE("a start that was killed goes on from where it was") {
  const auto s = svc1();
  Observed o = whole(s);
  SUBCASE("the pause runs, nothing is plumbed") {
    o.containers.erase("container#1");
    auto& ns = *o.containers["container#0"].netns;
    ns.links.pop_back();
    ns.addresses.clear();
    ns.routes.clear();
    CHECK(kinds(must_plan(s, o, Verb::start)) ==
          "image.ensure(container#1) container.create(container#1) link.create(ip#0) address.probe(ip#0) "
          "address.add(ip#0) route.set(ip#0) address.announce(ip#0) container.start(container#1)");
  }
  SUBCASE("the link is there, its address is not") {
    auto& ns = *o.containers["container#0"].netns;
    ns.addresses.clear();
    ns.routes.clear();
    CHECK(kinds(must_plan(s, o, Verb::start)) ==
          "address.probe(ip#0) address.add(ip#0) route.set(ip#0) address.announce(ip#0)");
  }
  SUBCASE("only the route is missing: our own address is not probed") {
    o.containers["container#0"].netns->routes.clear();
    CHECK(kinds(must_plan(s, o, Verb::start)) == "route.set(ip#0)");
  }
  SUBCASE("a link under the name hangs on another device") {
    o.containers["container#0"].netns->links.back().parent = 9;
    o.containers["container#0"].netns->addresses.clear();
    CHECK(kinds(must_plan(s, o, Verb::start)).starts_with("link.remove-stale(ip#0) link.create(ip#0)"));
  }
  SUBCASE("the sibling was created and not started") {
    o.containers["container#1"].running = false;
    o.containers["container#1"].state = "created";
    CHECK(kinds(must_plan(s, o, Verb::start)) == "container.start(container#1)");
  }
}

TEST_CASE("after a kill an address that is there is announced again: nobody may have heard of it") {
  const auto s = svc1();
  auto o = whole(s);
  o.after_a_kill = true;
  const Plan p = must_plan(s, o, Verb::start);
  REQUIRE(p.steps.size() == 1);
  CHECK(p.steps[0].kind() == AddressAnnounce::kKind);
  CHECK(operand<AddressAnnounce>(p.steps[0]).address == IpAddress::parse("10.0.3.3").value());
  auto silent = s;
  silent.ips[0].announce.count = 0;
  CHECK(must_plan(silent, o, Verb::start).empty());
}

TEST_CASE("a sibling bound to an earlier pause is put aside, re-created, and removed only when all went well") {
  const auto s = svc1();
  Observed o = bare_node();
  auto web = ours(s.containers[1], "bbb");
  web.running = false;
  web.state = "exited";
  web.network_mode = "container:gone";
  o.containers["container#1"] = web;
  const auto p = must_plan(s, o, Verb::start);
  const auto retire = index_of(p, ContainerRetire::kKind, "container#1");
  const auto create = index_of(p, ContainerCreate::kKind, "container#1");
  CHECK(comes_after(p, create, retire));
  CHECK(p.steps.back().kind() == ContainerRemove::kKind);
  CHECK(operand<ContainerRemove>(p.steps.back()).container.id == "bbb");
  CHECK(p.steps.back().tolerate);
  CHECK(p.steps.back().after.size() == p.steps.size() - 1);
}

TEST_CASE("a sibling that runs in an earlier namespace is replaced") {
  const auto s = svc1();
  Observed o = whole(s);
  o.containers["container#1"].netns->inode = 3;
  const auto text = kinds(must_plan(s, o, Verb::start));
  CHECK(text.find("container.stop(container#1)") != std::string::npos);
  CHECK(text.find("container.create(container#1)") != std::string::npos);
}

TEST_CASE(
    "when the pause is gone and a sibling runs on, its namespace is withdrawn before anybody is asked for the "
    "address") {
  const auto s = svc1();
  Observed o = whole(s);
  o.containers["container#1"].netns = o.containers["container#0"].netns;
  o.containers.erase("container#0");
  const auto p = must_plan(s, o, Verb::start);
  const auto remove = index_of(p, LinkRemove::kKind, "container#1");
  CHECK(operand<LinkRemove>(p.steps[remove]).link.device == "eth0");
  CHECK(operand<LinkRemove>(p.steps[remove]).link.container == "container#1");
  CHECK(comes_after(p, remove, index_of(p, ContainerStop::kKind, "container#1")));
  CHECK(comes_after(p, index_of(p, AddressProbe::kKind, "ip#0"), remove));
  CHECK(kinds(must_plan(s, o, Verb::stop)) == "container.stop(container#1) link.remove(container#1)");
}

TEST_CASE("what would fail is refused before anything is touched") {
  auto s = svc1();
  Observed o = bare_node();
  std::string expected;
  ErrorKind kind = ErrorKind::refused;
  SUBCASE("another node") {
    s.node = "n9";
    expected = "n9 is not one of its nodes (n1, n2, n3)";
  }
  SUBCASE("no such device") {
    s.ips[0].ipdev = "eth7";
    expected = "no such device (there are: lo, eth0)";
    kind = ErrorKind::not_found;
  }
  SUBCASE("device down") {
    o.node.links[1].up = false;
    expected = "it is down";
  }
  SUBCASE("no carrier") {
    o.node.links[1].carrier = false;
    expected = "it has no carrier";
  }
  SUBCASE("gateway outside, with the device's own netmask") {
    s.ips[0].netmask_v4.reset();
    s.ips[0].gateway = IpAddress::parse("10.0.9.1").value();
    expected = "gateway 10.0.9.1 is not in the subnet of 10.0.3.3/24";
    kind = ErrorKind::spec;
  }
  SUBCASE("no netmask to be had") {
    s.ips[0].netmask_v4.reset();
    o.node.addresses.clear();
    expected = "no netmask is given for 10.0.3.3, and eth0 has no IPv4 address";
    kind = ErrorKind::spec;
  }
  SUBCASE("the node itself has the address") {
    o.node.addresses.push_back({Cidr::parse("10.0.3.3/24").value(), 2, false, false});
    expected = "this node (n1) has it on eth0";
    kind = ErrorKind::conflict;
  }
  SUBCASE("a foreign container has the name") {
    auto foreign = ours(s.containers[0], "fff");
    foreign.service.clear();
    o.containers["container#0"] = foreign;
    expected = "the name is taken by a container that is not this service's";
    kind = ErrorKind::exists;
  }
  SUBCASE("the engine does not answer") {
    o.engine.state = EngineState::unreachable;
    o.engine.error = {ErrorKind::unreachable, 0, "connect: refused", {}};
    expected = "connect: refused";
    kind = ErrorKind::unreachable;
  }
  SUBCASE("a name that does not resolve") {
    s.ips[0].names = plumb::test::ip_names({"ipname1"});
    o.name_errors["ipname1"] = {ErrorKind::not_found, 0, "resolve ipname1: Name or service not known", {}};
    expected = "Name or service not known";
    kind = ErrorKind::not_found;
  }
  const auto p = plan(s, o, Verb::start);
  REQUIRE_FALSE(p.has_value());
  CHECK(p.error().kind == kind);
  CHECK_MESSAGE(p.error().what.find(expected) != std::string::npos, p.error().what);
}

TEST_CASE("stop withdraws in order: siblings, address, link, pause") {
  const auto s = svc1();
  const auto p = must_plan(s, whole(s), Verb::stop);
  CHECK(kinds(p) ==
        "container.stop(container#1) address.remove(ip#0) link.remove(ip#0) container.stop(container#0) "
        "container.remove(container#0)");
  CHECK(comes_after(p, 1, 0));
  CHECK(comes_after(p, 2, 1));
  // The pause is stopped while the kernel waits for the link's last users; nothing ends before the link is gone.
  CHECK(comes_after(p, 3, 1));
  CHECK(comes_after(p, 4, 2));
  CHECK(comes_after(p, 4, 3));
}

TEST_CASE("stop removes a link under a name that the configuration had when it was started") {
  auto s = svc1();
  s.ips[0].nsdev = IfName::parse("front").value();
  const auto p = must_plan(s, whole(s), Verb::stop);
  CHECK(kinds(p) ==
        "container.stop(container#1) link.remove(container#0) container.stop(container#0) "
        "container.remove(container#0)");
  CHECK(comes_after(p, 2, 1));
  // The engine's own networks are not plumb's to take down.
  Observed o = whole(s);
  o.containers["container#0"].network_mode = "host";
  CHECK(kinds(must_plan(s, o, Verb::stop)).find("link.remove") == std::string::npos);
}

TEST_CASE("where the engine keeps what is joined, the pause stays with its sibling, or goes after it") {
  auto s = svc1();
  Observed o = whole(s);
  o.engine.keeps_joined = true;
  CHECK(kinds(must_plan(s, o, Verb::stop)).find("container.remove") == std::string::npos);
  s.containers[1].rm = true;
  const auto p = must_plan(s, o, Verb::stop);
  CHECK(comes_after(p, index_of(p, ContainerRemove::kKind, "container#0"),
                    index_of(p, ContainerRemove::kKind, "container#1")));
}

TEST_CASE("stop removes what a killed start created and never started, and leaves what has run") {
  const auto s = svc1();
  Observed o = bare_node();
  auto web = ours(s.containers[1], "bbb");
  web.running = false;
  web.network_mode = "container:aaa";
  SUBCASE("created") {
    web.state = "created";
    o.containers["container#1"] = web;
    CHECK(kinds(must_plan(s, o, Verb::stop)) == "container.remove(container#1)");
  }
  SUBCASE("exited") {
    web.state = "exited";
    o.containers["container#1"] = web;
    CHECK(must_plan(s, o, Verb::stop).empty());
  }
  SUBCASE("foreign") {
    web.service = "other";
    web.state = "created";
    o.containers["container#1"] = web;
    CHECK(must_plan(s, o, Verb::stop).empty());
  }
}

TEST_CASE("a private engine is started first, the address probed meanwhile, and the rest planned when it answers") {
  const auto s = svc1();
  Observed o = bare_node();
  o.engine.is_private = true;
  o.engine.state = EngineState::down;
  auto p = must_plan(s, o, Verb::start);
  CHECK(p.partial);
  CHECK(kinds(p) == "engine.start address.probe(ip#0)");
  CHECK(p.steps[1].after.empty());
  CHECK(must_plan(s, o, Verb::stop).empty());
  // After a crash its containers may still hold the address: a probe would hear ourselves.
  o.engine.state = EngineState::crashed;
  CHECK(kinds(must_plan(s, o, Verb::start)) == "engine.start");
  p = must_plan(s, o, Verb::stop);
  CHECK(p.partial);
  CHECK(kinds(p) == "engine.start");
  // Up: nothing is probed twice, and stop ends it after everything else.
  o.engine.state = EngineState::up;
  o.probed_free = {IpAddress::parse("10.0.3.3").value()};
  CHECK(kinds(must_plan(s, o, Verb::start)).find("address.probe") == std::string::npos);
  CHECK(kinds(must_plan(s, o, Verb::stop)) == "engine.stop");
}

TEST_CASE("an ip of type host is probed, added and announced on the node, and needs no engine") {
  auto s = svc1();
  s.containers.clear();
  s.ips[0].type = IpType::host;
  s.ips[0].netns.clear();
  s.ips[0].netmask_v4.reset();
  Observed o = bare_node();
  o.engine.state = EngineState::unused;
  const auto p = must_plan(s, o, Verb::start);
  CHECK(kinds(p) == "address.probe(ip#0) address.add(ip#0) address.announce(ip#0)");
  CHECK(operand<AddressAdd>(p.steps[1]).cidr.to_string() == "10.0.3.3/24");
  o.node.addresses.push_back({Cidr::parse("10.0.3.3/24").value(), 2, false, false});
  CHECK(must_plan(s, o, Verb::start).empty());
  CHECK(kinds(must_plan(s, o, Verb::stop)) == "address.remove(ip#0)");
}

TEST_CASE("devices in a namespace are numbered past the names that the spec takes") {
  auto s = svc1();
  s.ips.push_back(s.ips[0]);
  s.ips.push_back(s.ips[0]);
  s.ips[1].id = "ip#1";
  s.ips[1].nsdev = IfName::parse("eth0").value();
  s.ips[2].id = "ip#2";
  CHECK(planned_device(s, s.ips[0]) == "eth1");
  CHECK(planned_device(s, s.ips[1]) == "eth0");
  CHECK(planned_device(s, s.ips[2]) == "eth2");
}

TEST_CASE("the mode follows the device unless it is set") {
  auto s = svc1();
  auto o = bare_node();
  CHECK(planned_mode(s.ips[0], o) == IpMode::macvlan);
  o.node.links[1].kind = "bridge";
  CHECK(planned_mode(s.ips[0], o) == IpMode::bridge);
  s.ips[0].mode = IpMode::macvlan;
  CHECK(planned_mode(s.ips[0], o) == IpMode::macvlan);
}

TEST_CASE("a container that joins another's pid namespace waits for it, wherever it stands in the file") {
  auto s = svc1();
  std::swap(s.containers[0], s.containers[1]);
  s.containers[0].pidns = "container#0";
  auto o = bare_node();
  const auto p = must_plan(s, o, Verb::start);
  CHECK(comes_after(p, index_of(p, ContainerCreate::kKind, "container#1"),
                    index_of(p, ContainerCreate::kKind, "container#0")));
  CHECK(comes_after(p, index_of(p, ContainerStart::kKind, "container#1"),
                    index_of(p, ContainerStart::kKind, "container#0")));
}

TEST_CASE("the fingerprint of a container changes with what the engine is told, and with nothing else") {
  const auto c = svc1().containers[1];
  auto other = c;
  CHECK(spec_hash(other) == spec_hash(c));
  other.optional = true;
  CHECK(spec_hash(other) == spec_hash(c));
  other.command = {"ab"};
  CHECK(spec_hash(other) != spec_hash(c));
  auto split = other;
  split.command = {"a", "b"};
  CHECK(spec_hash(split) != spec_hash(other));
}

TEST_CASE("a changed spec of a running container is said, not acted on") {
  auto s = svc1();
  const auto o = whole(s);
  s.containers[1].command = {"other"};
  const auto p = must_plan(s, o, Verb::start);
  CHECK(p.steps.empty());
  REQUIRE(p.warnings.size() == 1);
  CHECK(p.warnings[0].find("plumb restart svc1") != std::string::npos);
}

TEST_CASE("a changed ip of a running service is said, not acted on") {
  auto s = svc1();
  Observed o = whole(s);
  auto& ip = s.ips[0];
  SUBCASE("device") { ip.nsdev = IfName::parse("front").value(); }
  SUBCASE("parent") { o.containers["container#0"].netns->links.back().parent = 9; }
  SUBCASE("MTU") { ip.mtu = 1400; }
  SUBCASE("MAC") { ip.macaddr = Mac::parse("02:00:0a:00:03:03").value(); }
  SUBCASE("netmask") { ip.netmask_v4 = 25; }
  // A macvlan on a macvlan hangs on that one's parent.
  Observed stacked = whole(svc1());
  stacked.node.links.back().kind = "macvlan";
  stacked.node.links.back().parent = 7;
  stacked.containers["container#0"].netns->links.back().parent = 7;
  CHECK(must_plan(svc1(), stacked, Verb::start).warnings.empty());

  const auto p = must_plan(s, o, Verb::start);
  CHECK(p.steps.empty());
  REQUIRE(p.warnings.size() == 1);
  CHECK(p.warnings[0].find("ip#0: its configuration has changed") == 0);
  CHECK(p.warnings[0].find("plumb restart svc1") != std::string::npos);
}

TEST_CASE("an address that the configuration no longer has is said") {
  auto s = svc1();
  Observed o = whole(s);
  s.ips[0].names = plumb::test::ip_names({"10.0.3.4"});
  const auto p = must_plan(s, o, Verb::start);
  CHECK(kinds(p) == "address.probe(ip#0) address.add(ip#0) address.announce(ip#0)");
  REQUIRE(p.warnings.size() == 1);
  CHECK(p.warnings[0] ==
        "container#0: 10.0.3.3/24 is on eth0 there, and the configuration does not have it; `plumb restart svc1` "
        "withdraws it");
  // Nor does it say so of what the kernel has of its own.
  auto& seen = o.containers["container#0"].netns->addresses;
  seen = {{Cidr::parse("127.0.0.1/8").value(), 1, false, false},
          {Cidr::parse("fe80::1/64").value(), 5, false, false},
          {Cidr::parse("10.0.3.4/24").value(), 5, false, false}};
  CHECK(must_plan(s, o, Verb::start).warnings.empty());
}

TEST_CASE("subsets start one after another, in the alphabet's order, and stop the other way round") {
  auto s = svc1();
  s.containers[1].subset = "b";
  auto first = s.containers[1];
  first.id = "container#2";
  first.name = "svc1.container.2";
  first.subset = "a";
  auto beside = first;
  beside.id = "container#3";
  beside.name = "svc1.container.3";
  s.containers.insert(s.containers.end(), {first, beside});
  const auto index = [](const Result<Plan>& p, std::string_view kind, const std::string& resource) {
    for (std::size_t i = 0; i < p->steps.size(); ++i)
      if (p->steps[i].kind() == kind && p->steps[i].resource == resource) return i;
    FAIL("no such step for ", resource);
    return std::size_t{0};
  };
  const auto waits = [](const Result<Plan>& p, std::size_t later, std::size_t earlier) {
    const auto& after = p->steps[later].after;
    return std::find(after.begin(), after.end(), earlier) != after.end();
  };
  const auto p = plan(s, bare_node(), Verb::start);
  REQUIRE(p);
  const auto b = index(p, ContainerStart::kKind, "container#1");
  for (const char* a : {"container#2", "container#3"}) CHECK(waits(p, b, index(p, ContainerStart::kKind, a)));
  CHECK_FALSE(waits(p, index(p, ContainerStart::kKind, "container#3"), index(p, ContainerStart::kKind, "container#2")));
  Observed o = test::whole();
  o.containers["container#2"] = o.containers["container#1"];
  o.containers["container#3"] = o.containers["container#1"];
  const auto down = plan(s, o, Verb::stop);
  REQUIRE(down);
  for (const char* a : {"container#2", "container#3"})
    CHECK(waits(down, index(down, ContainerStop::kKind, a), index(down, ContainerStop::kKind, "container#1")));
}

TEST_CASE("a container that its engine is about to remove is never renamed, but waited for") {
  Observed o = test::whole();
  auto& pause = o.containers["container#0"];
  pause.running = false;
  pause.netns.reset();
  for (const bool removing : {false, true}) {
    pause.state = removing ? "removing" : "exited";
    pause.auto_remove = !removing;
    const auto p = plan(svc1(), o, Verb::start);
    REQUIRE(p);
    bool removed = false;
    for (const auto& step : p->steps) {
      CHECK_FALSE((step.kind() == ContainerRetire::kKind && step.resource == "container#0"));
      removed =
          removed || (step.kind() == ContainerRemove::kKind && operand<ContainerRemove>(step).container.id == "aaa");
    }
    CHECK(removed);
  }
}

TEST_CASE("a container that has ended is started again, unless its engine removes it at its end") {
  const Service s = svc1();
  Observed o = test::whole();
  auto& pause = o.containers["container#0"];
  pause.state = "exited";
  pause.running = false;
  pause.netns.reset();
  pause.spec_hash = spec_hash(*s.container("container#0"));
  const auto starts_again = [&] {
    const auto p = must_plan(s, o, Verb::start);
    const bool creates = std::any_of(p.steps.begin(), p.steps.end(), [](const Step& step) {
      return step.kind() == ContainerCreate::kKind && step.resource == "container#0";
    });
    const auto id = operand<ContainerStart>(p.steps.at(index_of(p, ContainerStart::kKind, "container#0"))).id;
    CHECK(id.value_or("") == (creates ? "" : "aaa"));
    return !creates;
  };
  CHECK(starts_again());
  // Its own name in its hosts file leads to the service's address, or the container is made anew.
  pause.extra_hosts = {"svc1:10.0.3.3"};
  CHECK(starts_again());
  pause.extra_hosts = {"svc1:10.0.3.4"};
  CHECK_FALSE(starts_again());
  pause.extra_hosts.clear();
  pause.auto_remove = true;
  CHECK_FALSE(starts_again());
  // Podman does not, as long as another container joins its namespace.
  o.engine.keeps_joined = true;
  CHECK(starts_again());
}

TEST_CASE("where nobody has a MAC nobody is asked, and an alternative name of a device is a name of it") {
  auto s = svc1();
  s.containers.clear();
  s.ips[0].type = IpType::host;
  s.ips[0].netns.clear();
  s.ips[0].gateway.reset();
  auto o = bare_node();
  o.node.links[1].altnames = {"enp3s0"};
  s.ips[0].ipdev = "enp3s0";
  CHECK(kinds(must_plan(s, o, Verb::start)) == "address.probe(ip#0) address.add(ip#0) address.announce(ip#0)");
  s.ips[0].ipdev = "lo";
  CHECK(kinds(must_plan(s, o, Verb::start)).find("probe") == std::string::npos);
  // What is there under the other name is there.
  s.ips[0].ipdev = "enp3s0";
  o.node.addresses.push_back({Cidr::parse("10.0.3.3/24").value(), 2, false, false});
  CHECK(must_plan(s, o, Verb::start).empty());
}

TEST_CASE("a name that means something else by now is said, and what was started counts") {
  auto s = svc1();
  auto o = test::whole();
  s.ips[0].names = test::ip_names({"db.example.com"});
  o.names["db.example.com"] = {IpAddress::parse("10.0.3.3").value()};
  o.new_names["db.example.com"] = {IpAddress::parse("10.0.3.9").value()};
  const auto p = must_plan(s, o, Verb::start);
  CHECK(p.empty());
  REQUIRE_FALSE(p.warnings.empty());
  CHECK(p.warnings.back() ==
        "ip#0: ipname db.example.com means another address by now; `plumb restart svc1` applies it");
}
