#include <doctest/doctest.h>

#include "specs/service/loader.h"
#include "tests/specs/plan/plans.h"
#include "tests/specs/plan/svc1.h"

using namespace plumb;
using test::bare_node;
using test::comes_after;
using test::index_of;
using test::kinds;
using test::must_plan;
using test::operand;

namespace {

Service handed_over() {
  Service out = test::svc1();
  out.handover = true;
  return out;
}

// Both containers run, with their link, and without an address.
Observed prepared(const Service& service) {
  Observed out = bare_node();
  test::run_both(service, out, {5, "eth0", "macvlan", {}, 1500, true, true, 2, 0});
  auto& ns = *out.containers["container#0"].netns;
  ns.addresses.clear();
  ns.routes.clear();
  return out;
}

Observed up(const Service& service) {
  Observed out = bare_node();
  test::run_both(service, out, {5, "eth0", "macvlan", {}, 1500, true, true, 2, 0});
  return out;
}

}  // namespace

TEST_CASE("prepare starts the containers and touches no address, no link and no neighbour") {
  const auto p = must_plan(handed_over(), bare_node(), Verb::prepare);
  CHECK(
      kinds(p) ==
      "image.ensure(container#0) container.create(container#0) image.ensure(container#1) container.create(container#1) "
      "container.start(container#0) container.start(container#1)");
  CHECK(must_plan(handed_over(), prepared(handed_over()), Verb::prepare).empty());
  CHECK(must_plan(handed_over(), up(handed_over()), Verb::prepare).empty());
}

TEST_CASE("activate asks for the address last of all, and claims it without a probe") {
  const auto p = must_plan(handed_over(), bare_node(), Verb::activate);
  const auto request = index_of(p, AddressRequest::kKind, "ip#0");
  for (std::size_t i = 0; i < request; ++i) CHECK(comes_after(p, request, i));
  CHECK(comes_after(p, request, index_of(p, ContainerStart::kKind, "container#1")));
  CHECK(comes_after(p, request, index_of(p, LinkCreate::kKind, "ip#0")));
  CHECK(comes_after(p, index_of(p, AddressAdd::kKind, "ip#0"), request));
  CHECK(kinds(p).find("address.probe") == std::string::npos);
  REQUIRE(operand<AddressRequest>(p.steps[request]).wanted.size() == 1);
  CHECK(describe(p.steps[request]) == "ask the node that has 10.0.3.3 to withdraw, and wait until it has");
  CHECK_FALSE(operand<AddressRequest>(p.steps[request]).force);
  auto forced = handed_over();
  forced.handover_by_force = true;
  const auto taken = must_plan(forced, bare_node(), Verb::activate);
  CHECK(kinds(taken) == kinds(p));
  CHECK(operand<AddressRequest>(taken.steps[request]).force);
  CHECK(describe(taken.steps[request]) == "ask the node that has 10.0.3.3 to withdraw, and go on when nobody answers");
}

TEST_CASE("activate of what is prepared is the address alone, and of what is up nothing") {
  const auto s = handed_over();
  CHECK(kinds(must_plan(s, prepared(s), Verb::activate)) ==
        "address.request(ip#0) address.add(ip#0) route.set(ip#0) address.announce(ip#0)");
  CHECK(must_plan(s, up(s), Verb::activate).empty());
}

TEST_CASE("a link with a given MAC waits until the other node has withdrawn") {
  auto s = handed_over();
  s.ips[0].macaddr = Mac::parse("02:00:00:00:00:03").value();
  const auto p = must_plan(s, bare_node(), Verb::activate);
  CHECK(comes_after(p, index_of(p, LinkCreate::kKind, "ip#0"), index_of(p, AddressRequest::kKind, "ip#0")));
}

TEST_CASE("a service's own engine that does not run is started first, and nobody is asked or probed meanwhile") {
  auto seen = bare_node();
  seen.engine.state = EngineState::down;
  for (const auto verb : {Verb::prepare, Verb::activate}) {
    const auto p = must_plan(handed_over(), seen, verb);
    CHECK(kinds(p) == "engine.start");
    CHECK(p.partial);
  }
}

TEST_CASE("withdraw takes the addresses away, and leaves all else") {
  const auto s = handed_over();
  CHECK(kinds(must_plan(s, up(s), Verb::withdraw)) == "address.remove(ip#0)");
  CHECK(must_plan(s, prepared(s), Verb::withdraw).empty());
}

TEST_CASE("a stop withdraws first where somebody may wait for the addresses, and last where nobody does") {
  const auto s = handed_over();
  const auto p = must_plan(s, up(s), Verb::stop);
  const auto gone = index_of(p, AddressRemove::kKind, "ip#0");
  CHECK(comes_after(p, index_of(p, AddressYield::kKind, "ip#0"), gone));
  for (const auto* id : {"container#0", "container#1"})
    CHECK(comes_after(p, index_of(p, ContainerStop::kKind, id), gone));
  CHECK(kinds(must_plan(s, prepared(s), Verb::stop)).find("address.yield") == std::string::npos);
  const auto plain = test::svc1();
  const auto other = must_plan(plain, up(plain), Verb::stop);
  CHECK(kinds(other).find("address.yield") == std::string::npos);
  CHECK(comes_after(other, index_of(other, AddressRemove::kKind, "ip#0"),
                    index_of(other, ContainerStop::kKind, "container#1")));
}

TEST_CASE("prepare and activate are refused where two instances may not run") {
  for (const auto verb : {Verb::prepare, Verb::activate}) {
    const auto refused = plan(test::svc1(), bare_node(), verb);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().kind == ErrorKind::refused);
    CHECK(refused.error().what.find("handover = true") != std::string::npos);
  }
}

TEST_CASE("programs may listen on an address that is yet to come") {
  const std::string text =
      "[DEFAULT]\nhandover = true\n[ip#0]\ntype = netns\nipname = 10.0.3.3\nipdev = eth0\n"
      "netmask = 24\nnetns = container#0\n[container#0]\nimage = pause\n";
  const auto sysctl = [](const std::string& spec) {
    const auto loaded = load_service(spec, {.file = "svc1.conf", .service = "svc1", .node = "n1"});
    REQUIRE(loaded.service);
    return loaded.service->containers[0].sysctl;
  };
  CHECK(sysctl(text) == std::map<std::string, std::string>{{"net.ipv4.ip_nonlocal_bind", "1"}});
  CHECK(sysctl(text + "sysctl = net.ipv4.ip_nonlocal_bind=0\n").at("net.ipv4.ip_nonlocal_bind") == "0");
  std::string plain = text;
  plain.replace(plain.find("true"), 4, "false");
  CHECK(sysctl(plain).empty());
}
