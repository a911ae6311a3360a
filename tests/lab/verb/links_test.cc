// A service with several links on one LAN: each address has one owner there, and nobody takes the service for its own
// rival. What is no link of plumb's is left as it is.
#include <doctest/doctest.h>

#include <map>
#include <set>

#include "tests/lab/answers.h"
#include "tests/lab/capture.h"
#include "tests/lab/extra_port.h"
#include "tests/lab/service.h"

namespace plumb::lab {
namespace {

using namespace std::chrono_literals;

const Node& n1() {
  static const Node node("n1");
  return node;
}

// Nothing is kept by a stop. `first` and `second` are the lines of the two ips, after their type and netns.
std::string spec_of(const std::string& first, const std::string& second) {
  std::string spec = edited(shared_engine_spec(), "image = nginx", "image = nginx\nrm = true");
  const auto at = spec.find("[ip#0]");
  const auto end = spec.find("\n[", at);
  // Announced once: to a rival that comes later nobody yields.
  const std::string common = "type = netns\nnetns = container#0\nnetmask = 24 64\nannounce = 1\n";
  return spec.replace(at, end - at, "[ip#0]\n" + common + first + "\n[ip#1]\n" + common + second + "\n");
}

const std::string kTwo = spec_of("ipname = 10.0.3.3\nipdev = eth0\ngateway = 10.0.3.1",
                                 "ipname = 10.0.3.4\nipdev = eth0\ngateway = 10.0.3.1");
const std::string kDual = spec_of("ipname = 10.0.3.3\nipdev = eth0\ngateway = 10.0.3.1",
                                  "ipname = fd00:10:3::33\nipdev = eth0\ngateway = fd00:10:3::1");

std::string inside(const Service& service, const Words& command) {
  const std::string pid =
      n1().must({"docker", "inspect", "--format", "{{.State.Pid}}", service.name() + ".container.0"});
  Words words{"nsenter", "--net=/proc/" + pid.substr(0, pid.find('\n')) + "/ns/net"};
  words.insert(words.end(), command.begin(), command.end());
  return n1().must(words);
}

std::string mac_of(const Service& service, const std::string& device) {
  const std::string out = inside(service, {"ip", "-br", "link", "show", "dev", device});
  const auto at = out.find(':') - 2;
  return out.substr(at, 17);
}

Outcome deep_monitor(const Service& service) {
  return n1().run({"env", "OCF_ROOT=/usr/lib/ocf", "OCF_RESOURCE_INSTANCE=" + service.name(),
                   "OCF_RESKEY_service=" + service.name(), "OCF_CHECK_LEVEL=10", program(), "ocf", "monitor"});
}

// Nobody finds a rival, where there is none.
void must_be_well(const Service& service) {
  const Outcome doctor = service.plumb(n1(), "doctor");
  CHECK_MESSAGE(doctor.exit_code == 0, doctor.out);
  const Outcome monitor = deep_monitor(service);
  CHECK_MESSAGE(monitor.exit_code == 0, monitor.err);
  const Outcome again = service.plumb(n1(), "start");
  CHECK_MESSAGE(again.out.find("is up already") != std::string::npos, again.out, again.err);
}

// The very same questions find one that there is.
void must_find(const Service& service, const std::string& mac, const std::string& address) {
  const std::string words = mac + " answers for " + address + ", too";
  const Outcome doctor = service.plumb(n1(), "doctor");
  CHECK(doctor.exit_code == 1);
  CHECK_MESSAGE(doctor.out.find(words) != std::string::npos, doctor.out);
  const Outcome monitor = deep_monitor(service);
  CHECK(monitor.exit_code == 1);
  CHECK_MESSAGE(monitor.err.find(words) != std::string::npos, monitor.err);
}

void must_start(const Service& service) {
  const Outcome start = service.plumb(n1(), "start");
  REQUIRE_MESSAGE(start.exit_code == 0, start.err);
}

TEST_CASE(
    "two links with a gateway each: what an address sends goes to its own, all else to the first, and both are looked "
    "after") {
  const Service web("web", spec_of("ipname = 10.0.3.3\nipdev = eth0\ngateway = 10.0.3.1",
                                   "ipname = 10.0.3.4\nipdev = eth0\ngateway = 10.0.3.100"));
  const auto way = [&](const Words& from) {
    Words words{"ip", "route", "get", "192.0.2.1"};
    words.insert(words.end(), from.begin(), from.end());
    const std::string out = inside(web, words);
    return out.substr(0, out.find(" src"));
  };
  const auto must_be_right = [&] {
    CHECK(way({}).find("via 10.0.3.1 dev eth0") != std::string::npos);
    CHECK(way({"from", "10.0.3.3"}).find("via 10.0.3.1 dev eth0") != std::string::npos);
    CHECK(way({"from", "10.0.3.4"}).find("via 10.0.3.100 dev eth1") != std::string::npos);
    must_be_well(web);
  };
  must_start(web);
  must_be_right();
  for (const std::string route : {"via 10.0.3.100 dev eth1 table ", "via 10.0.3.1 dev eth0 table main"}) {
    CAPTURE(route);
    std::string table;
    if (route.ends_with("table ")) {
      const std::string all = inside(web, {"ip", "route", "show", "table", "all", "default"});
      const auto at = all.find(route);
      REQUIRE_MESSAGE(at != std::string::npos, all);
      table = all.substr(at + route.size(), all.find_first_of(" \n", at + route.size()) - at - route.size());
    }
    inside(web, {"bash", "-c", "ip route delete default " + route + table});
    const Outcome status = web.plumb(n1(), "status");
    CHECK(status.exit_code == 4);
    CHECK_MESSAGE(status.out.find("no default route via 10.0.3.1") != std::string::npos, status.out);
    must_start(web);
    must_be_right();
  }
}

TEST_CASE("two links on one parent: each address is answered by one MAC, and leaves by it, and nobody is a rival") {
  const Service web("web", kTwo);
  const State before = web.state(n1());
  must_start(web);
  const std::map<std::string, std::string> links{{"10.0.3.3", mac_of(web, "eth0")}, {"10.0.3.4", mac_of(web, "eth1")}};
  for (const auto& link : links) {
    CAPTURE(link.first);
    CHECK(answers(link.first));
    CHECK(owners(link.first) == std::set{link.second});
    CHECK(answered_by(link.first) == std::set{link.second});
  }
  must_be_well(web);
  // Links that are made again have it, too, and leave nothing of those before them.
  inside(web, {"ip", "link", "delete", "eth1"});
  must_start(web);
  CHECK(owners("10.0.3.4") == std::set{mac_of(web, "eth1")});
  CHECK(answered_by("10.0.3.4") == std::set{mac_of(web, "eth1")});
  // And a link that a killed start has left without it.
  inside(web, {"ip", "address", "del", "10.0.3.4/24", "dev", "eth1"});
  inside(web, {"sysctl", "-qw", "net.ipv4.conf.eth1.arp_ignore=0"});
  must_start(web);
  CHECK(owners("10.0.3.3") == std::set{mac_of(web, "eth0")});
  const std::string rules = inside(web, {"ip", "rule"});
  CHECK_MESSAGE(rules.find("from 10.0.3.4") == rules.rfind("from 10.0.3.4"), rules);
  must_be_well(web);
  const std::string rival = lab({"rival", "10.0.3.4"}).substr(0, 17);
  must_find(web, rival, "10.0.3.4");
  lab({"rival", "--gone"});
  CHECK(web.plumb(n1(), "stop").exit_code == 0);
  CHECK(difference(before, web.state(n1())) == "");
}

TEST_CASE("two links of a namespace whose kernel is as it was: an address has two MACs, and still no rival is seen") {
  const Service web("web", kTwo);
  must_start(web);
  for (const char* device : {"eth0", "eth1"})
    inside(web, {"sysctl", "-qw", "net.ipv4.conf." + std::string(device) + ".arp_ignore=0",
                 "net.ipv4.conf." + std::string(device) + ".arp_announce=0"});
  CHECK(owners("10.0.3.3") == std::set{mac_of(web, "eth0"), mac_of(web, "eth1")});
  must_be_well(web);
}

TEST_CASE("dual stack on two links: each family has its own, and nobody is a rival") {
  const Service web("web", kDual);
  must_start(web);
  CHECK(owners("10.0.3.3") == std::set{mac_of(web, "eth0")});
  CHECK(owners("fd00:10:3::33") == std::set{mac_of(web, "eth1")});
  CHECK(answered_by("fd00:10:3::33") == std::set{mac_of(web, "eth1")});
  must_be_well(web);
}

TEST_CASE(
    "a link on the node's second port of the LAN: each address is answered there, and goes on without the other") {
  const ExtraPort port("n1", "eth9");
  n1().must({"ip", "link", "set", "eth9", "up"});
  const Service web("web", edited(spec_of("ipname = 10.0.3.3\nipdev = eth0\ngateway = 10.0.3.1",
                                          "ipname = 10.0.3.4\nipdev = eth9\ngateway = 10.0.3.1"),
                                  "rm = true", "rm = true\nsysctl = net.ipv4.conf.all.rp_filter=1"));
  must_start(web);
  for (const auto& [address, device] : {std::pair{"10.0.3.3", "eth0"}, {"10.0.3.4", "eth1"}}) {
    CHECK(owners(address) == std::set{mac_of(web, device)});
    CHECK(answered_by(address) == std::set{mac_of(web, device)});
  }
  must_be_well(web);
  lab({"cut", "n1"});
  CHECK(Node("client").run({"ping", "-c", "3", "-i", "0.2", "-W", "2", "10.0.3.4"}).exit_code == 0);
  lab({"mend", "n1"});
}

TEST_CASE("an address on the node itself: its second port answers for it as the kernel does, and is no rival") {
  const ExtraPort port("n1", "eth9");
  n1().must({"ip", "link", "set", "eth9", "up"});
  const Service host("host", "[DEFAULT]\nnodes = n1 n2 n3\n[ip#0]\nipname = 10.0.3.5\nipdev = eth0\n");
  const Service web("web", edited(kTwo, "gateway = 10.0.3.1", "gateway = 10.0.3.1\nhost_access = true"));
  must_start(host);
  must_start(web);
  CHECK(owners("10.0.3.5").size() == 2);
  must_be_well(host);
  must_be_well(web);
  for (const char* device : {"eth0", "eth9", "all", "default"})
    CHECK(n1().must({"sysctl", "-n", "net.ipv4.conf." + std::string(device) + ".arp_ignore"}) == "0\n");
  const std::string rival = lab({"rival", "10.0.3.5"}).substr(0, 17);
  must_find(host, rival, "10.0.3.5");
  lab({"rival", "--gone"});
}

TEST_CASE("another service of the node with the same address is a rival, and so is the node's own port") {
  const ExtraPort port("n1", "eth9");
  n1().must({"ip", "link", "set", "eth9", "up"});
  const Service web("web", kTwo);
  must_start(web);
  {
    const Service other("other", edited(edited(shared_engine_spec(), "ipname", "ipname = 10.0.3.4"), "gateway",
                                        "gateway = 10.0.3.1\nconflict = warn"));
    must_start(other);
    must_find(web, mac_of(other, "eth0"), "10.0.3.4");
    CHECK(other.plumb(n1(), "stop").exit_code == 0);
  }
  must_be_well(web);
  n1().must({"ip", "address", "add", "10.0.3.3/32", "dev", "eth9"});
  const std::string look = port.look();
  must_find(web, look.substr(look.find("link/ether ") + 11, 17), "10.0.3.3");
}

TEST_CASE("host_access: the node's link says on the LAN for no address of the node that it is there") {
  const Service web("web", edited(kTwo, "gateway = 10.0.3.1", "gateway = 10.0.3.1\nhost_access = true"));
  must_start(web);
  const Node client("client");
  Capture wire(client, "eth0");
  n1().must({"ip", "neighbour", "flush", "all"});
  CHECK(n1().run({"ping", "-c", "2", "-i", "0.2", "10.0.3.3"}).exit_code == 0);
  client.must({"ping", "-c", "1", "10.0.3.11"});
  std::set<std::string> macs;
  for (const auto& frame : wire.frames())
    if (const auto arp = frame.arp(); arp && arp->claims("10.0.3.11")) macs.insert(arp->sender_mac);
  CHECK(macs.size() == 1);
  must_be_well(web);
  // A link that is made again has another MAC, which the node is told.
  inside(web, {"ip", "link", "delete", "eth0"});
  must_start(web);
  CHECK(n1().run({"ping", "-c", "1", "-W", "2", "10.0.3.3"}).exit_code == 0);
}

}  // namespace
}  // namespace plumb::lab
