// What the doctor says: each thing that keeps an address from answering is found, and comes with what to do.
#include "specs/status/diagnosis.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "tests/specs/plan/svc1.h"

using namespace plumb;
using test::bare_node;
using test::svc1;
using test::whole;

namespace {

const Mac kMac = Mac::parse("02:00:0a:00:fe:03").value();

// Nobody else has the address, the gateway answers, and somebody listens.
Evidence well() {
  IpEvidence ip;
  ip.own = {{IpAddress::parse("10.0.3.3").value(), {}, {}}};
  ip.gateway = Asked{IpAddress::parse("10.0.3.1").value(), kMac, {}};
  ip.macvlan_mode = "bridge";
  ip.listeners_known = true;
  ip.tcp = {80};
  return {{"ip#0", ip}};
}

// The finding of that check, if there is one that is no ok.
const Finding* find(const std::vector<Finding>& findings, const std::string& check) {
  const auto found = std::find_if(findings.begin(), findings.end(), [&](const Finding& finding) {
    return finding.check == check && finding.verdict != Verdict::ok;
  });
  return found == findings.end() ? nullptr : &*found;
}

void must_find(const Service& s, const Observed& seen, const Evidence& evidence, const std::string& check,
               const std::string& text, const std::string& fix, Verdict verdict = Verdict::problem) {
  const auto findings = diagnose(s, seen, evidence);
  const auto* finding = find(findings, check);
  REQUIRE(finding != nullptr);
  CHECK(finding->verdict == verdict);
  CHECK_MESSAGE(finding->text.find(text) != std::string::npos, finding->text);
  CHECK_MESSAGE(finding->fix.find(fix) != std::string::npos, finding->fix);
}

}  // namespace

TEST_CASE("a service that is well has no problem") {
  const auto findings = diagnose(svc1(), whole(), well());
  for (const auto& finding : findings) {
    CAPTURE(finding.text);
    CHECK(finding.verdict != Verdict::problem);
  }
  CHECK(findings.size() >= 8);
}

TEST_CASE("the engine, the containers, the device: the first fault of the way is named") {
  Observed o = bare_node();
  o.engine.state = EngineState::unreachable;
  o.engine.error = Error{ErrorKind::unreachable, 0, "connect: refused", "systemctl start docker"};
  must_find(svc1(), o, {}, "engine", "refused", "systemctl start docker");
  CHECK(diagnose(svc1(), o, {}).size() == 1);
  o.engine.state = EngineState::down;
  must_find(svc1(), o, {}, "engine", "not running", "plumb start svc1");
  must_find(svc1(), bare_node(), {}, "running", "svc1.container.0 is not running", "plumb start svc1");
  auto ended = whole();
  ended.containers["container#1"].running = false;
  ended.containers["container#1"].state = "exited";
  ended.containers["container#1"].exit_code = 3;
  must_find(svc1(), ended, well(), "running", "exit code 3", "plumb logs svc1 container#1");
  auto stranded = whole();
  stranded.containers["container#1"].netns->inode = 78;
  must_find(svc1(), stranded, well(), "namespace", "an earlier container#0", "plumb start svc1");
  auto down = whole();
  down.node.links[1].up = false;
  must_find(svc1(), down, well(), "device", "it is down", "ip link set eth0 up");
  auto elsewhere = svc1();
  elsewhere.node = "n9";
  must_find(elsewhere, whole(), well(), "node", "n9 is not one of its nodes (n1, n2, n3)", "add n9 to nodes");
}

TEST_CASE("the link, the address, the route") {
  auto o = whole();
  auto& ns = *o.containers["container#0"].netns;
  SUBCASE("no link") {
    ns.links.clear();
    must_find(svc1(), o, well(), "link", "no device eth0 in container#0", "plumb start svc1");
  }
  SUBCASE("another link") {
    ns.links[0].kind = "veth";
    must_find(svc1(), o, well(), "link", "not the link", "plumb restart svc1");
  }
  SUBCASE("no carrier") {
    ns.links[0].carrier = false;
    must_find(svc1(), o, well(), "carrier", "no carrier", "cable");
  }
  SUBCASE("no address") {
    ns.addresses.clear();
    must_find(svc1(), o, well(), "address", "10.0.3.3 is not there", "plumb start svc1");
    auto prepared = svc1();
    prepared.handover = true;
    must_find(prepared, o, well(), "address", "10.0.3.3 is not there", "plumb start svc1");
    o.unknown_here = true;
    must_find(prepared, o, well(), "address", "10.0.3.3 is not there", "plumb activate svc1");
  }
  SUBCASE("duplicate") {
    ns.addresses[0].dadfailed = true;
    must_find(svc1(), o, well(), "address", "dadfailed", "plumb restart svc1");
  }
  SUBCASE("no route") {
    ns.routes.clear();
    must_find(svc1(), o, well(), "route", "via 10.0.3.1", "plumb start svc1");
  }
}

TEST_CASE("the network, the bridge, the firewall, the program") {
  auto evidence = well();
  auto& ip = evidence["ip#0"];
  SUBCASE("rival") {
    ip.own[0].answer = kMac;
    must_find(svc1(), whole(), evidence, "rival", "02:00:0a:00:fe:03 answers for 10.0.3.3", "fence");
  }
  SUBCASE("gateway") {
    ip.gateway->answer.reset();
    must_find(svc1(), whole(), evidence, "gateway", "10.0.3.1 does not answer", "VLAN");
  }
  SUBCASE("macvlan of another mode") {
    ip.macvlan_mode = "private";
    must_find(svc1(), whole(), evidence, "macvlan", "private", "plumb restart svc1");
  }
  SUBCASE("the node itself") {
    must_find(svc1(), whole(), evidence, "macvlan", "the node itself", "host_access = true", Verdict::note);
    auto s = svc1();
    s.ips[0].host_access = true;
    CHECK(find(diagnose(s, whole(), evidence), "macvlan") == nullptr);
  }
  SUBCASE("port") {
    ip.port_state = "blocking";
    must_find(svc1(), whole(), evidence, "bridge", "is blocking", "bridge link");
  }
  SUBCASE("bridged frames are filtered") {
    ip.bridged_is_filtered = true;
    must_find(svc1(), whole(), evidence, "bridge", "iptables", "bridge-nf-call-iptables=0", Verdict::note);
  }
  SUBCASE("firewall") {
    ip.dropping = {"table inet filter, chain input"};
    must_find(svc1(), whole(), evidence, "firewall", "table inet filter, chain input", "plumb enter svc1",
              Verdict::note);
  }
  SUBCASE("an exposed port") {
    auto s = svc1();
    s.ips[0].expose = {{80, false}, {53, true}};
    must_find(s, whole(), evidence, "listener", "port 53/udp", "plumb logs svc1");
    ip.udp = {53};
    CHECK(find(diagnose(s, whole(), evidence), "listener") == nullptr);
  }
  SUBCASE("nobody listens") {
    ip.tcp.clear();
    must_find(svc1(), whole(), evidence, "listener", "no program listens", "plumb logs svc1", Verdict::note);
  }
}
