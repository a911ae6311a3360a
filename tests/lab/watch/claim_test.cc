// Two nodes whose watchers hold one address: after a cable, a partition or a stop of the process, one of them has it,
// and the other one says so.
#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <set>

#include "tests/lab/capture.h"
#include "tests/lab/claimants.h"
#include "tests/lab/extra_port.h"
#include "tests/lab/watch/watch.h"

namespace plumb::lab {
namespace {

using namespace std::chrono_literals;

const std::string kGateway = "10.0.3.1";

// A service without siblings on the nodes' own engines.
std::string spec_of(const std::string& device = "eth0", const std::string& more = {}) {
  return "[DEFAULT]\nnodes = n1 n2 n3\n[ip#0]\ntype = netns\nipdev = " + device + "\nipname = " + kServiceAddress +
         "\nnetmask = 24\ngateway = " + kGateway + "\nnetns = container#0\n" + more + "[container#0]\nrm = true\n";
}

bool has_address(const Node& node) {
  return node.run({program(), "enter", "web", "--", "ip", "-4", "-o", "address"}).out.find(kServiceAddress + "/") !=
         std::string::npos;
}

std::string mac_of(const Node& node) {
  std::string out = node.must({program(), "enter", "web", "--", "cat", "/sys/class/net/eth0/address"});
  out.pop_back();
  return out;
}

// Who answers the client's question, each time that it asks.
std::set<std::string> answers_now() {
  const Node client("client");
  Capture wire(client, "eth0");
  client.run({"ip", "neigh", "flush", "dev", "eth0"});
  client.run({"ping", "-c", "1", "-W", "2", kServiceAddress});
  return claimants(wire.frames(), kServiceAddress);
}

// A node that has the service, and its watcher.
struct Owner {
  explicit Owner(const std::string& name) : node(name) {}
  void start(const Service& web) {
    const Outcome start = web.plumb(node, "start");
    REQUIRE_MESSAGE(start.exit_code == 0, start.err);
    watch = std::make_unique<Watch>(node);
    REQUIRE(watch->says("listening to the engine"));
    REQUIRE(is_confirmed(node, "web", kServiceAddress));
    mac = mac_of(node);
  }
  Node node;
  std::unique_ptr<Watch> watch;
  std::string mac;
};

// A node of which nothing runs for as long as the object lives: no plumb, no engine, no container. Its kernel does.
class StoppedNode {
 public:
  explicit StoppedNode(const Node& node) : node_(node) { node_.must({"bash", "-c", "kill -STOP -1"}); }
  ~StoppedNode() { node_.run({"bash", "-c", "kill -CONT -1"}); }
  StoppedNode(const StoppedNode&) = delete;
  StoppedNode& operator=(const StoppedNode&) = delete;

 private:
  const Node& node_;
};

// n1 has the service, and is cut off; n3 starts it, rightly.
struct Moved {
  Service web{"web", spec_of()};
  Owner n1{"n1"};
  Owner n3{"n3"};
};

}  // namespace

TEST_CASE("a cable that was out while another node took over: who comes back is silent, and says why") {
  Moved it;
  it.n1.start(it.web);
  lab({"cut", "n1"});
  CHECK_MESSAGE(it.n1.watch->says("its uplink has lost its carrier"), it.n1.watch->log());
  CHECK(becomes([&] { return !has_address(it.n1.node); }, 5s));
  it.n3.start(it.web);
  Capture wire(Node("client"), "eth0");
  it.n1.watch->forget();
  lab({"mend", "n1"});
  CHECK_MESSAGE(it.n1.watch->says(kServiceAddress + " belongs to " + it.n3.mac + " (n3)"), it.n1.watch->log());
  CHECK_FALSE(has_address(it.n1.node));
  CHECK(has_address(it.n3.node));
  CHECK(answers_now() == std::set<std::string>{it.n3.mac});
  CHECK_FALSE(claimants(wire.frames(), kServiceAddress).contains(it.n1.mac));
  // Its owner gives it up: it is n1's again, without anybody's doing.
  it.n1.watch->forget();
  CHECK(it.web.plumb(it.n3.node, "stop").exit_code == 0);
  CHECK_MESSAGE(it.n1.watch->says("it is on its link again"), it.n1.watch->log());
  CHECK(answers_now() == std::set<std::string>{it.n1.mac});
  CHECK(it.web.plumb(it.n1.node, "status").exit_code == 0);
}

TEST_CASE("check_carrier = false: the loss of the carrier is no doubt, and the address stays for who is on the node") {
  const Service web("web", spec_of("eth0", "check_carrier = false\n"));
  Owner n1("n1");
  n1.start(web);
  lab({"cut", "n1"});
  CHECK_FALSE(becomes([&] { return !has_address(n1.node); }, 2s));
  lab({"mend", "n1"});
  CHECK(answers_now() == std::set<std::string>{n1.mac});
}

TEST_CASE("a partition of the switch that no carrier tells of: one owner soon after it has healed") {
  Moved it;
  it.n1.start(it.web);
  const Node lan("lan");
  lan.must({"ip", "link", "set", "n1", "nomaster"});
  it.n3.start(it.web);
  CHECK(has_address(it.n1.node));  // nothing tells it
  it.n1.watch->forget();
  lan.must({"ip", "link", "set", "n1", "master", "lan"});
  // Who took over from a silent owner outranks it.
  CHECK_MESSAGE(it.n1.watch->says(kServiceAddress + " belongs to " + it.n3.mac + " (n3)", 5s), it.n1.watch->log());
  CHECK_FALSE(has_address(it.n1.node));
  CHECK(answers_now() == std::set<std::string>{it.n3.mac});
  CHECK(it.n3.watch->log().find("belongs to") == std::string::npos);
}

TEST_CASE("who was reported as a rival without a word, and turns out to be the owner, is named once more") {
  Moved it;
  it.n1.start(it.web);
  const Node lan("lan");
  lan.must({"ip", "link", "set", "n1", "nomaster"});
  it.n3.start(it.web);
  it.n3.watch->signal(SIGSTOP);
  it.n1.watch->forget();
  lan.must({"ip", "link", "set", "n1", "master", "lan"});
  // Only its kernel is heard, which answers for an address that n1 has had for longer than three seconds.
  CHECK_MESSAGE(it.n1.watch->says(kServiceAddress + " is claimed by " + it.n3.mac + ", too"), it.n1.watch->log());
  CHECK(has_address(it.n1.node));
  it.n3.watch->signal(SIGCONT);
  CHECK_MESSAGE(it.n1.watch->says(kServiceAddress + " belongs to " + it.n3.mac + " (n3)"), it.n1.watch->log());
  CHECK_FALSE(has_address(it.n1.node));
  CHECK(answers_now() == std::set<std::string>{it.n3.mac});
  // It asks again each few seconds, and loses to the same: that is no news.
  it.n1.watch->forget();
  CHECK_FALSE_MESSAGE(it.n1.watch->says("belongs to", 6s), it.n1.watch->log());
}

TEST_CASE("a watcher that stands still, or is killed, leaves the address with its owner, and its rank") {
  Moved it;
  it.n1.start(it.web);
  const auto book = [&] { return it.n1.node.must({"cat", "/run/plumb/web.claims"}); };
  const std::string before = book();
  it.n1.watch->signal(SIGSTOP);
  const Outcome refused = it.web.plumb(it.n3.node, "start");
  CHECK(refused.exit_code == 5);
  CHECK_MESSAGE(refused.err.find(it.n1.mac) != std::string::npos, refused.err);
  it.n1.watch->signal(SIGKILL);
  CHECK(it.web.plumb(it.n3.node, "start").exit_code == 5);
  it.n1.watch = std::make_unique<Watch>(it.n1.node);
  REQUIRE(it.n1.watch->says("listening to the engine"));
  CHECK(book() == before);
  CHECK(it.web.plumb(it.n3.node, "start").exit_code == 5);
  CHECK(answers_now() == std::set<std::string>{it.n1.mac});
}

TEST_CASE(
    "a whole node that stood still while its cable was out: it gives way to who took over as soon as it goes on") {
  Moved it;
  it.n1.start(it.web);
  std::optional<StoppedNode> stopped(it.n1.node);
  lab({"cut", "n1"});
  it.n3.start(it.web);
  it.n1.watch->forget();
  lab({"mend", "n1"});
  // Nothing of it can give way, and its kernel answers for what is on its links.
  CHECK(becomes([&] { return answers_now() == std::set<std::string>{it.n1.mac, it.n3.mac}; }, kSoon));
  stopped.reset();
  CHECK_MESSAGE(it.n1.watch->says(kServiceAddress + " belongs to " + it.n3.mac + " (n3)", 5s), it.n1.watch->log());
  CHECK_FALSE(has_address(it.n1.node));
  CHECK(answers_now() == std::set<std::string>{it.n3.mac});
  CHECK(has_address(it.n3.node));
  // It has never been off its link.
  CHECK(it.n3.watch->log().find("belongs to") == std::string::npos);
  CHECK(it.n3.watch->log().find("off its link") == std::string::npos);
  it.n1.watch->forget();
  CHECK(it.web.plumb(it.n3.node, "stop").exit_code == 0);
  CHECK_MESSAGE(it.n1.watch->says("it is on its link again"), it.n1.watch->log());
  CHECK(answers_now() == std::set<std::string>{it.n1.mac});
  CHECK(it.web.plumb(it.n1.node, "status").exit_code == 0);
}

TEST_CASE(
    "a whole node that stands still with its cable in: its kernel answers, a start elsewhere is refused, it goes on") {
  Moved it;
  it.n1.start(it.web);
  const auto book = [&] { return it.n1.node.must({"cat", "/run/plumb/web.claims"}); };
  const std::string before = book();
  it.n1.watch->forget();
  {
    const StoppedNode stopped(it.n1.node);
    CHECK(answers_now() == std::set<std::string>{it.n1.mac});
    const Outcome refused = it.web.plumb(it.n3.node, "start");
    CHECK(refused.exit_code == 5);
    CHECK_MESSAGE(refused.err.find(it.n1.mac) != std::string::npos, refused.err);
  }
  // It has asked, where it was in doubt; nobody has it, and a start elsewhere is refused as before.
  CHECK(it.web.plumb(it.n3.node, "start").exit_code == 5);
  CHECK(becomes([&] { return has_address(it.n1.node); }, kSoon));
  CHECK(answers_now() == std::set<std::string>{it.n1.mac});
  CHECK(book() == before);
  CHECK_MESSAGE(it.n1.watch->log().find("belongs to") == std::string::npos, it.n1.watch->log());
  CHECK(it.web.plumb(it.n1.node, "status").exit_code == 0);
}

TEST_CASE(
    "a cable that was out while no watcher ran: the next one asks before it goes on, and without that it does not") {
  const Service web("web", spec_of());
  const Node n1("n1");
  const auto out_and_in = [&] {
    lab({"cut", "n1"});
    lab({"mend", "n1"});
    REQUIRE(becomes([&] { return n1.run({"cat", "/sys/class/net/eth0/carrier"}).out == "1\n"; }, 5s));
  };
  const std::string doubt = kServiceAddress + ": its uplink has lost its carrier: off its link";
  const std::string well = kServiceAddress + ": nobody else has it: it is on its link again";
  REQUIRE(web.plumb(n1, "start").exit_code == 0);
  for (const bool cable : {false, true, false, true}) {
    CAPTURE(cable);
    if (cable) out_and_in();
    Watch watch(n1);
    REQUIRE(watch.says("listening to the engine"));
    CHECK_MESSAGE(watch.says(doubt, cable ? 10s : 1s) == cable, watch.log());
    CHECK_MESSAGE((!cable || watch.says(well)), watch.log());
    CHECK(has_address(n1));
    watch.signal(SIGKILL);
  }
  // What a watcher has seen is no news to the next.
  auto watch = std::make_unique<Watch>(n1);
  REQUIRE(watch->says("listening to the engine"));
  out_and_in();
  REQUIRE_MESSAGE(watch->says(well), watch->log());
  watch->signal(SIGKILL);
  watch.reset();
  watch = std::make_unique<Watch>(n1);
  REQUIRE(watch->says("listening to the engine"));
  CHECK_FALSE_MESSAGE(watch->says("off its link", 1s), watch->log());
  CHECK(has_address(n1));
}

TEST_CASE("a bridge with a spanning tree: announced when the service's port forwards") {
  const ExtraPort port("n1", "eth9");
  const Node& n1 = port.node();
  n1.must({"bash", "-c",
           "ip link add br0 type bridge && ip link set eth9 master br0 && ip link set eth9 up && ip link set br0 up && "
           "until [[ $(</sys/class/net/br0/operstate) == up ]]; do :; done && "
           "ip link set br0 type bridge forward_delay 200 stp_state 1"});
  {
    const Service web("web", spec_of("br0", "announce = 1\n"));
    Watch watch(n1);
    Capture wire(Node("client"), "eth0");
    const Outcome start = web.plumb(n1, "start");
    REQUIRE_MESSAGE(start.exit_code == 0, start.err);
    // Listening and learning take two seconds each; what was announced before is lost.
    CHECK(wire.await(
        [](const Frame& f) { return f.arp() && f.arp()->claims(kServiceAddress) && f.arp()->operation == 2; }, 15s));
    CHECK(Node("client").run({"ping", "-c", "1", "-W", "2", kServiceAddress}).exit_code == 0);
  }
  n1.must({"ip", "link", "delete", "br0"});
}

}  // namespace plumb::lab
