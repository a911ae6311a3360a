// Every mode of a link sends packets: reached by the client, refused where it must be, and nothing left behind. A mode
// that this kernel lacks must be refused before anything is touched; on one that has it (ci/uml) it must work.
#include <doctest/doctest.h>

#include "tests/lab/extra_port.h"
#include "tests/lab/open_vswitch.h"
#include "tests/lab/service.h"

namespace plumb::lab {
namespace {

const std::string kAddress = "10.0.3.3";

const Node& n1() {
  static const Node node("n1");
  return node;
}

// A service on the node's own engine of which a stop keeps nothing. `lines` go into [ip#0].
std::string spec_with(const std::string& device, const std::string& lines, const std::string& address = kAddress) {
  auto spec = edited(edited(shared_engine_spec(), "ipname", "ipname = " + address), "ipdev", "ipdev = " + device);
  spec = edited(spec, "gateway", "gateway = 10.0.3.1\n" + lines);
  return edited(spec, "image = nginx", "image = nginx\nrm = true");
}

// One after the other: docker rm asks for all that it is given at once, and Podman refuses the pause while the other is
// there.
void remove_containers_of_web() {
  for (const char* name : {"web.container.1", "web.container.0"}) n1().must({"docker", "rm", "-f", name});
}

void must_be_refused_untouched(const Service& web, const std::string& word) {
  const State before = web.state(n1());
  const Outcome start = web.plumb(n1(), "start");
  CHECK(start.exit_code != 0);
  CHECK_MESSAGE(start.err.find(word) != std::string::npos, start.err);
  CHECK(difference(before, web.state(n1())) == "");
}

void must_start(const Service& web) {
  const Outcome start = web.plumb(n1(), "start");
  REQUIRE_MESSAGE(start.exit_code == 0, start.err);
}

bool reached_from(const Node& node, const std::string& address) {
  return node.run({"curl", "-s", "-o", "/dev/null", "--max-time", "3", "http://" + address + "/"}).exit_code == 0;
}

// By ICMP: where Open vSwitch has its datapath in a process, it does not mend the checksums that a veth leaves to the
// hardware, and no TCP connection comes about.
bool pings(const Node& node, const Words& prefix, const std::string& address) {
  Words command = prefix;
  command.insert(command.end(), {"ping", "-c", "1", "-W", "2", address});
  return node.run(command).exit_code == 0;
}

bool pings(const std::string& address) { return pings(Node("client"), {}, address); }

TEST_CASE("dedicated: a device of the node moves into the container, and comes back as it was") {
  const ExtraPort port("n1", "eth9");
  const Service web("web", spec_with("eth9", "mode = dedicated\nmacaddr = 02:00:0a:00:03:99"));
  const State before = web.state(n1());
  const std::string device = port.look();
  must_start(web);
  CHECK(answers(kAddress));
  CHECK(port.look().empty());
  CHECK(web.plumb(n1(), "status").out.find("the node's own eth9") != std::string::npos);
  CHECK(web.plumb(n1(), "start").out.find("is up already") != std::string::npos);
  CHECK(web.plumb(n1(), "stop").exit_code == 0);
  CHECK_FALSE(answers(kAddress));
  CHECK(port.look() == device);
  CHECK(difference(before, web.state(n1())) == "");
}

TEST_CASE("dedicated: a rival refuses the start, and the device is back") {
  const ExtraPort port("n1", "eth9");
  const Service web("web", spec_with("eth9", "mode = dedicated"));
  const State before = web.state(n1());
  const std::string device = port.look();
  const std::string mac = lab({"rival", kAddress});
  const Outcome start = web.plumb(n1(), "start");
  lab({"rival", "--gone"});
  CHECK(start.exit_code == 5);
  CHECK_MESSAGE(start.err.find(mac.substr(0, 17)) != std::string::npos, start.err);
  CHECK(port.look() == device);
  CHECK(difference(before, web.state(n1())) == "");
}

TEST_CASE("dedicated: a device without a carrier gives no service, and is back") {
  const ExtraPort port("n1", "eth9");
  const Service web("web", spec_with("eth9", "mode = dedicated"));
  const State before = web.state(n1());
  Node("lan").must({"ip", "link", "set", "n1-eth9", "down"});
  const Outcome start = web.plumb(n1(), "start");
  CHECK(start.exit_code != 0);
  CHECK_MESSAGE(start.err.find("wait for the carrier of device eth0") != std::string::npos, start.err);
  CHECK(difference(before, web.state(n1())) == "");
}

TEST_CASE("dedicated: the device that the node lives by is not given away") {
  must_be_refused_untouched(Service("web", spec_with("eth0", "mode = dedicated")), "carries an address of the node");
}

TEST_CASE("ovs: the port is on the bridge, with its tag, and leaves nothing in the switch") {
  const OpenVswitch ovs(n1());
  const ExtraPort port("n1", "eth9");
  n1().must({"ip", "link", "set", "eth9", "up"});
  ovs.must({"add-port", "ovs0", "eth9"});
  const std::string ports = ovs.must({"list-ports", "ovs0"});
  {
    const Service web("web", spec_with("ovs0", "mode = ovs"));
    const State before = web.state(n1());
    must_start(web);
    CHECK(pings(kAddress));
    CHECK(web.plumb(n1(), "start").out.find("is up already") != std::string::npos);
    CHECK(web.plumb(n1(), "stop").exit_code == 0);
    CHECK(ovs.must({"list-ports", "ovs0"}) == ports);
    CHECK(difference(before, web.state(n1())) == "");
  }
  const Service one("one", spec_with("ovs0", "mode = ovs\nvlan_tag = 42\nvlan_mode = access"));
  const Service two("two", spec_with("ovs0", "mode = ovs\nvlan_tag = 42", "10.0.3.4"));
  const Service three("three", spec_with("ovs0", "mode = ovs\nvlan_tag = 43", "10.0.3.5"));
  for (const auto* service : {&one, &two, &three}) must_start(*service);
  const std::string pid = n1().must({"docker", "inspect", "--format", "{{.State.Pid}}", "one.container.0"});
  const Words in_one{"nsenter", "--net=/proc/" + pid.substr(0, pid.find('\n')) + "/ns/net"};
  CHECK(pings(n1(), in_one, "10.0.3.4"));
  CHECK_FALSE(pings(n1(), in_one, "10.0.3.5"));
  CHECK_FALSE(pings(kAddress));
}

TEST_CASE("ovs: a container that died leaves a port in the switch, which start replaces and stop removes") {
  const OpenVswitch ovs(n1());
  const ExtraPort port("n1", "eth9");
  n1().must({"ip", "link", "set", "eth9", "up"});
  ovs.must({"add-port", "ovs0", "eth9"});
  const std::string ports = ovs.must({"list-ports", "ovs0"});
  const Service web("web", spec_with("ovs0", "mode = ovs"));
  must_start(web);
  remove_containers_of_web();
  CHECK(ovs.must({"list-ports", "ovs0"}) != ports);
  must_start(web);
  CHECK(pings(kAddress));
  remove_containers_of_web();
  CHECK(web.plumb(n1(), "stop").exit_code == 0);
  CHECK(ovs.must({"list-ports", "ovs0"}) == ports);
}

TEST_CASE("ovs: a rival of the port's VLAN is heard, and the port is gone again") {
  const OpenVswitch ovs(n1());
  const ExtraPort port("n1", "eth9");
  n1().must({"ip", "link", "set", "eth9", "up"});
  ovs.must({"add-port", "ovs0", "eth9", "tag=42"});
  const std::string ports = ovs.must({"list-ports", "ovs0"});
  lab({"rival", kAddress});
  const Service web("web", spec_with("ovs0", "mode = ovs\nvlan_tag = 42\nvlan_mode = access"));
  const State before = web.state(n1());
  const Outcome start = web.plumb(n1(), "start");
  lab({"rival", "--gone"});
  CHECK(start.exit_code == 5);
  CHECK(ovs.must({"list-ports", "ovs0"}) == ports);
  CHECK(difference(before, web.state(n1())) == "");
}

TEST_CASE("ovs: a bridge or a switch that is not there is named, and nothing is touched") {
  const Service web("web", spec_with("ovs7", "mode = ovs"));
  must_be_refused_untouched(web, "ask Open vSwitch");
  const OpenVswitch ovs(n1());
  must_be_refused_untouched(web, "there are: ovs0");
}

TEST_CASE("ipvlan-l2: reached at the MAC of the node, or refused where the kernel has none") {
  const Service web("web", spec_with("eth0", "mode = ipvlan-l2\nhost_access = true"));
  if (!n1().knows("ipvlan")) return must_be_refused_untouched(web, "this kernel knows no ipvlan");
  const State before = web.state(n1());
  must_start(web);
  CHECK(answers(kAddress));
  CHECK(reached_from(n1(), kAddress));
  {
    const Service second("second", spec_with("eth0", "mode = ipvlan-l2"));
    CHECK(second.plumb(n1(), "start").exit_code != 0);
  }
  CHECK(web.plumb(n1(), "stop").exit_code == 0);
  CHECK(difference(before, web.state(n1())) == "");
  // Somebody else's, of another mode, which is of no service.
  n1().must({"ip", "netns", "add", "others"});
  n1().must({"ip", "link", "add", "link", "eth0", "name", "ipvl0", "netns", "others", "type", "ipvlan", "mode", "l3"});
  const State beside = web.state(n1());
  const auto refused = web.plumb(n1(), "start");
  CHECK(refused.exit_code != 0);
  CHECK_MESSAGE(
      refused.err.find("ipvlans in mode ipvlan-l3 of a network namespace without a process") != std::string::npos,
      refused.err);
  CHECK(n1().must({"ip", "-n", "others", "-d", "link", "show", "ipvl0"}).find("mode l3 ") != std::string::npos);
  CHECK(difference(beside, web.state(n1())) == "");
  n1().must({"ip", "netns", "delete", "others"});
}

TEST_CASE("ipvlan-l3 and -l3s: reached by who has a route to them by the node") {
  for (const std::string mode : {"ipvlan-l3", "ipvlan-l3s"}) {
    CAPTURE(mode);
    const Service web("web",
                      edited(spec_with("eth0", "mode = " + mode + "\nhost_access = true", "10.0.77.3"), "gateway", ""));
    if (!n1().knows("ipvlan")) {
      must_be_refused_untouched(web, "this kernel knows no ipvlan");
      continue;
    }
    const State before = web.state(n1());
    must_start(web);
    CHECK_FALSE(answers("10.0.77.3"));
    const Node client("client");
    client.must({"ip", "route", "replace", "10.0.77.3", "via", "10.0.3.11"});
    CHECK(answers("10.0.77.3"));
    client.must({"ip", "route", "delete", "10.0.77.3"});
    CHECK(reached_from(n1(), "10.0.77.3"));
    CHECK(web.plumb(n1(), "stop").exit_code == 0);
    CHECK(difference(before, web.state(n1())) == "");
  }
}

TEST_CASE("802.1q: the device is made on demand, shared, and removed with its last user") {
  const Service one("one", edited(spec_with("eth0.42", ""), "gateway", ""));
  const Service two("two", edited(spec_with("eth0", "", "10.0.3.4"), "gateway", "vlan_tag = 42"));
  if (!n1().knows("vlan id 5")) {
    must_be_refused_untouched(one, "this kernel knows no 802.1q devices");
    return must_be_refused_untouched(two, "this kernel knows no 802.1q devices");
  }
  const Node client("client");
  client.must({"ip", "link", "add", "link", "eth0", "name", "eth0.42", "type", "vlan", "id", "42"});
  client.must({"ip", "link", "set", "eth0.42", "up"});
  const State before = one.state(n1());
  must_start(one);
  CHECK_FALSE(answers(kAddress));  // untagged
  client.must({"ip", "route", "replace", "10.0.3.3", "dev", "eth0.42"});
  client.must({"ip", "route", "replace", "10.0.3.4", "dev", "eth0.42"});
  CHECK(answers(kAddress));
  must_start(two);
  CHECK(answers("10.0.3.4"));
  CHECK(one.plumb(n1(), "stop").exit_code == 0);
  CHECK(answers("10.0.3.4"));
  CHECK(two.plumb(n1(), "stop").exit_code == 0);
  client.must({"ip", "link", "delete", "eth0.42"});
  CHECK(difference(before, one.state(n1())) == "");
}

TEST_CASE("802.1q: users of an older plumb count, and a later plumb's file is refused") {
  if (!n1().knows("vlan id 5")) return;
  const Service one("one", edited(spec_with("eth0.42", ""), "gateway", ""));
  const Service two("two", edited(spec_with("eth0", "", "10.0.3.4"), "gateway", "vlan_tag = 42"));
  const State before = one.state(n1());
  must_start(one);
  n1().must({"ip", "link", "property", "add", "altname", "plumb:old:ip#0", "dev", "eth0.42"});
  n1().must({"touch", "/run/plumb/old.started"});
  CHECK(one.plumb(n1(), "stop").exit_code == 0);
  n1().must({"ip", "link", "show", "eth0.42"});
  must_start(one);
  n1().must({"rm", "/run/plumb/old.started"});  // such a user keeps no device
  const Words edit{"sh", "-c", "sed -i \"1s/ $0$/ $1/\" /run/plumb/.vlan-*.users"};
  const auto version = [&](const std::string& from, const std::string& to) {
    Words command = edit;
    command.insert(command.end(), {from, to});
    n1().must(command);
  };
  version("1", "2");
  must_be_refused_untouched(two, "it has version 2 and this program knows version 1 only");
  CHECK(one.plumb(n1(), "stop").exit_code != 0);
  n1().must({"ip", "link", "show", "eth0.42"});
  version("2", "1");
  CHECK(one.plumb(n1(), "stop").exit_code == 0);
  CHECK(difference(before, one.state(n1())) == "");
}

}  // namespace
}  // namespace plumb::lab
