// The main job: a spec in, a reachable service out; refused where it must be, and nothing left behind.
#include <doctest/doctest.h>

#include "tests/lab/capture.h"
#include "tests/lab/service.h"

namespace plumb::lab {
namespace {

using namespace std::chrono_literals;

const std::string kAddress = "10.0.3.3";

bool claims_address(const Frame& frame) {
  const auto arp = frame.arp();
  return arp && arp->claims(kAddress);
}

TEST_CASE("the reference, as it stands: started, reached, looked at, stopped: nothing is left") {
  const Node n1("n1");
  const Service svc1("svc1", reference_spec());
  const State before = svc1.state(n1);
  const Outcome start = svc1.plumb(n1, "start");
  CAPTURE(start.err);
  REQUIRE(start.exit_code == 0);
  CHECK(start.out.find("10.0.3.3/24 on eth0") != std::string::npos);
  CHECK(answers(kAddress));

  const Outcome status = svc1.plumb(n1, "status");
  CHECK(status.exit_code == 0);
  CHECK(status.out.find("└─ container#0      up") != std::string::npos);
  CHECK(svc1.plumb(n1, "status", {"--format", "json"}).out.find("\"state\": \"up\"") != std::string::npos);

  // Its engine is its own: the node's knows nothing of it.
  CHECK(n1.must({"docker", "ps", "-aq", "--filter", "label=plumb.service=svc1"}).empty());
  CHECK(svc1.plumb(n1, "docker", {"ps", "--format", "{{.Names}}"}).out == "svc1.container.1\nsvc1.container.0\n");

  const std::string ids = svc1.plumb(n1, "docker", {"ps", "-q"}).out;
  const Outcome again = svc1.plumb(n1, "start");
  CHECK(again.exit_code == 0);
  CHECK(again.out.find("is up already") != std::string::npos);
  CHECK(svc1.plumb(n1, "docker", {"ps", "-q"}).out == ids);

  CHECK(svc1.plumb(n1, "stop").exit_code == 0);
  CHECK_FALSE(answers(kAddress));
  CHECK(svc1.plumb(n1, "status").exit_code == 3);
  CHECK(svc1.plumb(n1, "stop").out.find("is down already") != std::string::npos);
  CHECK(difference(before, svc1.state(n1)) == "");
}

TEST_CASE("start and stop, twenty times in a row") {
  const Node n1("n1");
  for (const auto& spec : {reference_spec(), shared_engine_spec()}) {
    const Service svc1("svc1", spec);
    for (int i = 0; i < (spec == reference_spec() ? 5 : 20); ++i) {
      CAPTURE(i);
      const Outcome start = svc1.plumb(n1, "start");
      CAPTURE(start.err);
      REQUIRE(start.exit_code == 0);
      REQUIRE(svc1.plumb(n1, "stop").exit_code == 0);
    }
  }
}

TEST_CASE(
    "a rival, also one that drops ping, refuses the start: its MAC is named, nothing is left, nothing was claimed") {
  const Node n1("n1");
  const Service web("web", shared_engine_spec());
  for (const Words& how : {Words{"rival", kAddress}, Words{"rival", kAddress, "--drop-ping"}}) {
    std::string mac = lab(how);
    mac.resize(17);
    const State before = web.state(n1);
    Capture wire(n1, "eth0");
    const Outcome start = web.plumb(n1, "start");
    CHECK(start.exit_code == 5);
    CHECK_MESSAGE(start.err.find(mac) != std::string::npos, start.err);
    CHECK(start.took < 5s);  // the README says within a second; a busy machine is no failure
    for (const auto& frame : wire.frames())
      if (frame.outgoing) CHECK_FALSE_MESSAGE(claims_address(frame), frame.to_string());
    CHECK(difference(before, web.state(n1)) == "");
    lab({"rival", "--gone"});
  }
  // Without a rival the same start goes well, and claims.
  Capture wire(n1, "eth0");
  CHECK(web.plumb(n1, "start").exit_code == 0);
  CHECK(wire.await([](const Frame& f) { return claims_address(f); }, 2s));
}

TEST_CASE("a rival on the very same node is heard, too") {
  const Node n1("n1");
  const Service one("one", shared_engine_spec());
  const Service two("two", shared_engine_spec());
  REQUIRE(one.plumb(n1, "start").exit_code == 0);
  CHECK(two.plumb(n1, "start").exit_code == 5);
  CHECK(answers(kAddress));
  REQUIRE(one.plumb(n1, "stop").exit_code == 0);
  n1.must({"ip", "address", "add", "10.0.3.3/32", "dev", "eth0"});
  const Outcome refused = two.plumb(n1, "start");
  n1.must({"ip", "address", "del", "10.0.3.3/32", "dev", "eth0"});
  CHECK(refused.exit_code == 5);
  CHECK(refused.err.find("this node (n1) has it on eth0") != std::string::npos);
  CHECK(two.plumb(n1, "start").exit_code == 0);
}

TEST_CASE("moved to another node: refused before, and the neighbours' caches follow at once") {
  const Node n1("n1");
  const Node n2("n2");
  const Node client("client");
  const Service web("web", shared_engine_spec());
  REQUIRE(web.plumb(n1, "start").exit_code == 0);
  REQUIRE(answers(kAddress));
  const std::string cached = client.must({"ip", "neighbour", "show", kAddress});
  CHECK(web.plumb(n2, "start").exit_code == 5);
  REQUIRE(web.plumb(n1, "stop").exit_code == 0);

  Capture wire(client, "eth0");
  REQUIRE(web.plumb(n2, "start").exit_code == 0);
  // The very first claim that the client hears rewrites its cache: nobody has asked yet.
  CHECK(wire.await([](const Frame& f) { return claims_address(f) && f.arp()->operation == 1; }, 3s));
  CHECK(wire.await([](const Frame& f) { return claims_address(f) && f.arp()->operation == 2; }, 3s));
  const std::string now = client.must({"ip", "neighbour", "show", kAddress});
  CHECK(now.substr(0, now.find("lladdr") + 24) != cached.substr(0, cached.find("lladdr") + 24));
  CHECK(answers(kAddress));
}

TEST_CASE("a withdrawn address is not announced any more") {
  const Node n1("n1");
  const Service web("web", shared_engine_spec());
  REQUIRE(web.plumb(n1, "start").exit_code == 0);
  REQUIRE(web.plumb(n1, "stop").exit_code == 0);
  Capture wire(Node("client"), "eth0");
  // The announcer's rounds are half a second apart, for two seconds; an address that is up is announced in that time.
  CHECK_FALSE(wire.await([](const Frame& f) { return claims_address(f); }, 2500ms));
  REQUIRE(web.plumb(n1, "start").exit_code == 0);
  CHECK(wire.await([](const Frame& f) { return claims_address(f); }, 2500ms));
}

TEST_CASE("an address of the node itself, by the names of the reference: failover") {
  const Node n1("n1");
  const Service host("host", "[ip#0]\nipname@nodes = ipname1\nipname@drpnodes = ipname2\nipdev = eth0\n");
  const State before = host.state(n1);
  const Outcome start = host.plumb(n1, "start");
  CAPTURE(start.err);
  REQUIRE(start.exit_code == 0);
  CHECK(n1.must({"ip", "-o", "address", "show", "eth0"}).find("10.0.3.21/24") != std::string::npos);
  CHECK(Node("client").run({"ping", "-c1", "-W2", "10.0.3.21"}).exit_code == 0);
  CHECK(host.plumb(n1, "status").exit_code == 0);
  CHECK(host.plumb(Node("n2"), "start").exit_code == 5);
  CHECK(host.plumb(n1, "stop").exit_code == 0);
  CHECK(difference(before, host.state(n1)) == "");
}

TEST_CASE("an address of its own for each node's instance: flex") {
  const Service flex("flex", "[ip#0]\nipname@n1 = ipname1\nipname@n2 = ipname2\nipdev = eth0\n");
  CHECK(flex.plumb(Node("n1"), "start").exit_code == 0);
  CHECK(flex.plumb(Node("n2"), "start").exit_code == 0);
  CHECK(Node("client").run({"ping", "-c1", "-W2", "10.0.3.21"}).exit_code == 0);
  CHECK(Node("client").run({"ping", "-c1", "-W2", "10.0.3.22"}).exit_code == 0);
  const Outcome nowhere = flex.plumb(Node("n3"), "start");
  CHECK(nowhere.exit_code == 6);
  CHECK(nowhere.err.find("ipname") != std::string::npos);
}

TEST_CASE("the built-in pause needs no registry: IPv6 and IPv4 in one namespace, on a macvlan and on a bridge") {
  const Node n1("n1");
  n1.must({"docker", "pull", "-q", "nginx"});
  std::string spec = edited(shared_engine_spec(), "image = ghcr.io", "");
  spec = edited(spec, "ipname", "ipname = 10.0.3.3 fd00:10:3::33");
  spec = edited(spec, "netmask", "netmask = 24 64");
  lab({"registry", "break", "down"});
  SUBCASE("macvlan") {
    const Service dual("dual", spec);
    const Outcome start = dual.plumb(n1, "start");
    lab({"registry", "mend"});
    CAPTURE(start.err);
    REQUIRE(start.exit_code == 0);
    CHECK(answers(kAddress));
    CHECK(answers("[fd00:10:3::33]"));
    CHECK(dual.plumb(n1, "status").exit_code == 0);
  }
  SUBCASE("bridge") {
    n1.must({"bash", "-c",
             "ip link add br0 type bridge && ip link set br0 up && ip link set eth0 master br0 && "
             "ip address flush dev eth0 scope global && ip address add 10.0.3.11/24 dev br0"});
    {
      const Service dual("dual", edited(spec, "ipdev", "ipdev = br0"));
      const Outcome start = dual.plumb(n1, "start");
      CAPTURE(start.err);
      CHECK(start.exit_code == 0);
      CHECK(start.out.find("veth on bridge br0") != std::string::npos);
      CHECK(answers(kAddress));
      CHECK(answers("[fd00:10:3::33]"));
      CHECK(dual.plumb(n1, "stop").exit_code == 0);
      CHECK(n1.must({"ip", "-br", "link", "show", "type", "veth"}).find("pl") == std::string::npos);
    }
    lab({"registry", "mend"});
    n1.must(
        {"bash", "-c",
         "ip link del br0 && ip address add 10.0.3.11/24 dev eth0 && ip address add fd00:10:3::11/64 dev eth0 nodad && "
         "ip route replace default via 10.0.3.1"});
  }
}

TEST_CASE("an engine, or a pause, that is killed: said by status, made whole by start, cleared by stop") {
  const Node n1("n1");
  SUBCASE("the private engine") {
    const Service svc1("svc1", reference_spec());
    const State before = svc1.state(n1);
    const Words kill{"bash", "-c",
                     "read -r pid _ </run/plumb/svc1/engine.pid && kill -9 $pid && while kill -0 $pid; do :; done "
                     "2>/dev/null; true"};
    REQUIRE(svc1.plumb(n1, "start").exit_code == 0);
    n1.must(kill);
    const Outcome status = svc1.plumb(n1, "status");
    CHECK(status.exit_code == 8);
    CHECK(status.out.find("crashed") != std::string::npos);
    const Outcome start = svc1.plumb(n1, "start");
    CAPTURE(start.err);
    CHECK(start.exit_code == 0);
    CHECK(answers(kAddress));
    n1.must(kill);
    CHECK(svc1.plumb(n1, "stop").exit_code == 0);
    CHECK_FALSE(answers(kAddress));
    CHECK(difference(before, svc1.state(n1)) == "");
  }
  SUBCASE("the pause") {
    const Service web("web", shared_engine_spec());
    REQUIRE(web.plumb(n1, "start").exit_code == 0);
    n1.must({"docker", "kill", "web.container.0"});
    CHECK(web.plumb(n1, "status").exit_code == 4);
    const Outcome start = web.plumb(n1, "start");
    CAPTURE(start.err);
    CHECK(start.exit_code == 0);
    CHECK(answers(kAddress));
    CHECK(web.plumb(n1, "status").exit_code == 0);
  }
}

TEST_CASE("a stale record of an engine, with the pid of another process, is not believed") {
  const Node n1("n1");
  const Service svc1("svc1", reference_spec());
  n1.must({"bash", "-c",
           "mkdir -p /run/plumb/svc1 && echo '1 1' >/run/plumb/svc1/engine.pid && echo 1 >/run/plumb/svc1/docker.pid "
           "&& touch /run/plumb/svc1/docker.sock"});
  const Outcome start = svc1.plumb(n1, "start");
  CAPTURE(start.err);
  CHECK(start.exit_code == 0);
  CHECK(answers(kAddress));
}

const std::string kHostSpec = "[ip#0]\nipname = 10.0.3.21\nipdev = eth0\nnetmask = 24\n";

// `script` makes one of the service's files that of a later plumb. All is refused then, and left as it is.
void check_refused(const Node& n1, const Service& svc1, const std::string& file, const std::string& script) {
  const std::string path = "/run/plumb/" + file;
  CAPTURE(path);
  // Not what its announcer does, which comes to its end meanwhile.
  const auto kept = [&] {
    return n1.must({"docker", "--host", svc1.engine(), "ps", "-q", "--no-trunc"}) +
           n1.must({"bash", "-c", "tail -n +1 /run/plumb/svc1.[!l]* /run/plumb/svc1/engine.pid | tr -d '\\0'"});
  };
  n1.must({"bash", "-c", script});
  const std::string before = kept();
  for (const std::string verb : {"start", "stop", "restart", "shutdown", "status", "doctor", "docker", "plan"}) {
    const Outcome refused = svc1.plumb(n1, verb);
    CAPTURE(verb);
    CAPTURE(refused.err);
    CHECK(refused.exit_code == 1);
    CHECK(refused.err.find("read " + path + ": it has version 2 and this program knows version 1 only") !=
          std::string::npos);
    CHECK(refused.err.find("install the plumb that wrote it, or a newer one; nothing was touched") !=
          std::string::npos);
  }
  const Outcome listed = n1.run({program(), "ls"});
  CHECK(listed.exit_code == 1);
  CHECK_MESSAGE(listed.err.find("it has version 2") != std::string::npos, listed.err);
  CHECK(kept() == before);
  CHECK(answers(kAddress));
}

// Taken for absent, it would be stopped by another configuration than that of its start.
TEST_CASE("what a later plumb has left of a service is refused, and nothing is touched, but another service is") {
  const Node n1("n1");
  const Service svc1("svc1", reference_spec());
  const Service host("host", kHostSpec);
  REQUIRE(svc1.plumb(n1, "start").exit_code == 0);
  for (const std::string file : {"svc1.started", "svc1.claims", "svc1.traces"}) {
    check_refused(n1, svc1, file, "sed -i '1s/ 1$/ 2/' /run/plumb/" + file);
    for (const std::string verb : {"start", "status", "stop"}) CHECK(host.plumb(n1, verb).exit_code == 0);
    n1.must({"sed", "-i", "1s/ 2$/ 1/", "/run/plumb/" + file});
    CHECK(svc1.plumb(n1, "status").exit_code == 0);
  }
  for (const std::string kind : {"started", "unsettled"}) {
    const std::string file = "svc1." + (kind == "started" ? std::string("stopping") : kind);
    check_refused(n1, svc1, file, "echo plumb-" + kind + " 2 >/run/plumb/" + file);
    n1.remove("/run/plumb/" + file);
  }
  CHECK(svc1.plumb(n1, "stop").exit_code == 0);
  CHECK_FALSE(answers(kAddress));
}

TEST_CASE("a service that a later plumb has started is not passed over where its own file is gone") {
  const Node n1("n1");
  const Service host("host", kHostSpec);
  REQUIRE(host.plumb(n1, "start").exit_code == 0);
  n1.must({"sed", "-i", "1s/ 1$/ 2/", "/run/plumb/host.started"});
  n1.must({"mv", "/etc/plumb/host.conf", "/etc/plumb/host.away"});
  for (const Words& verb : {Words{"stop", "host"}, Words{"shutdown"}, Words{"status"}, Words{"ls"}}) {
    Words words{program()};
    words.insert(words.end(), verb.begin(), verb.end());
    const Outcome refused = n1.run(words);
    CAPTURE(verb.front());
    CHECK(refused.exit_code == 1);
    CHECK_MESSAGE(refused.err.find("/run/plumb/host.started: it has version 2") != std::string::npos, refused.err);
  }
  CHECK(n1.must({"ip", "address", "show", "dev", "eth0"}).find("10.0.3.21/24") != std::string::npos);
  n1.must({"sed", "-i", "1s/ 2$/ 1/", "/run/plumb/host.started"});
  CHECK(host.plumb(n1, "stop").exit_code == 0);
  CHECK(n1.must({"ip", "address", "show", "dev", "eth0"}).find("10.0.3.21/24") == std::string::npos);
  n1.must({"mv", "/etc/plumb/host.away", "/etc/plumb/host.conf"});
}

}  // namespace
}  // namespace plumb::lab
