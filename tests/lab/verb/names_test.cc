// Addresses by their names: what a start does when the resolver is well, changes its mind, is down, or is silent; and
// what IPv6 does by itself in a service's namespace.
#include <doctest/doctest.h>

#include <filesystem>
#include <iterator>

#include "tests/lab/watch/watch.h"

namespace plumb::lab {
namespace {

// The node's resolver, put back when the object is gone. Without `answers` in /etc/hosts the name is asked of
// `name_server`.
class Resolver {
 public:
  explicit Resolver(const Node& node)
      : node_(node), hosts_(node.must({"cat", "/etc/hosts"})), resolv_(node.run({"cat", "/etc/resolv.conf"}).out) {}
  ~Resolver() {
    node_.write("/etc/hosts", hosts_);
    node_.write("/etc/resolv.conf", resolv_);
    node_.run({"rm", "-rf", "/var/cache/plumb/names"});
  }
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  void say(const std::string& address) const { node_.write("/etc/hosts", hosts_ + address + " www.svc.test\n"); }
  void ask(const std::string& name_server) const {
    node_.write("/etc/hosts", hosts_);
    node_.write("/etc/resolv.conf", "nameserver " + name_server + "\n");
  }

 private:
  Node node_;
  std::string hosts_;
  std::string resolv_;
};

const std::string kSpec = "[ip#0]\nipname = www.svc.test\nipdev = eth0\nnetmask = 24\n";

std::string addresses(const Node& node) { return node.must({"ip", "-br", "-4", "address", "show", "dev", "eth0"}); }

bool has(const Outcome& outcome, const std::string& text) {
  return (outcome.out + outcome.err).find(text) != std::string::npos;
}

TEST_CASE("a name that means another address since the start: what was started counts until a restart") {
  const Node n1("n1");
  const Resolver resolver(n1);
  const Service host("host", kSpec);
  resolver.say("10.0.3.77");
  CHECK(host.plumb(n1, "start").exit_code == 0);
  CHECK(addresses(n1).find("10.0.3.77/24") != std::string::npos);
  resolver.say("10.0.3.78");
  CHECK(host.plumb(n1, "status").exit_code == 0);
  const Outcome again = host.plumb(n1, "start");
  CHECK(again.exit_code == 0);
  CHECK_MESSAGE(has(again, "ipname www.svc.test means another address by now"), again.err);
  CHECK(addresses(n1).find("10.0.3.78/24") == std::string::npos);
  CHECK(host.plumb(n1, "restart").exit_code == 0);
  CHECK(addresses(n1).find("10.0.3.77/24") == std::string::npos);
  CHECK(addresses(n1).find("10.0.3.78/24") != std::string::npos);
  resolver.say("10.0.3.79");
  CHECK(host.plumb(n1, "stop").exit_code == 0);
  CHECK(addresses(n1).find("10.0.3.78/24") == std::string::npos);
}

TEST_CASE("a resolver that is down or silent does not stop a service whose addresses are known") {
  const Node n1("n1");
  const Resolver resolver(n1);
  const Service host("host", kSpec);
  resolver.say("10.0.3.77");
  CHECK(host.plumb(n1, "start").exit_code == 0);
  CHECK(host.plumb(n1, "stop").exit_code == 0);
  // Nobody listens on the gateway's port 53; nobody has .250.
  for (const std::string name_server : {"10.0.3.1", "10.0.3.250"}) {
    CAPTURE(name_server);
    resolver.ask(name_server);
    const Outcome start = host.plumb(n1, "start");
    CHECK_MESSAGE(start.exit_code == 0, start.err);
    CHECK_MESSAGE(has(start, "www.svc.test: no answer from the resolver"), start.err);
    CHECK(addresses(n1).find("10.0.3.77/24") != std::string::npos);
    CHECK(host.plumb(n1, "stop").exit_code == 0);
    CHECK(addresses(n1).find("10.0.3.77/24") == std::string::npos);
  }
}

TEST_CASE("a start waits for a name that comes to be, as long as wait_dns says") {
  const Node n1("n1");
  const Resolver resolver(n1);
  const Service host("host", kSpec + "wait_dns = 20s\n");
  resolver.ask("10.0.3.1");
  Running start = n1.start({program(), "start", "host"});
  CHECK_FALSE(start.await_output("up on", std::chrono::milliseconds(600)));
  resolver.say("10.0.3.77");
  const Outcome outcome = start.wait();
  CHECK_MESSAGE(outcome.exit_code == 0, outcome.err);
  CHECK(addresses(n1).find("10.0.3.77/24") != std::string::npos);
}

TEST_CASE("a watcher that waits for a silent resolver ends when it is told to") {
  const Node n1("n1");
  const Resolver resolver(n1);
  const Service host("host", kSpec);
  resolver.say("10.0.3.77");
  REQUIRE(host.plumb(n1, "start").exit_code == 0);
  Watch watch(n1);
  const auto threads = [&] {
    const std::filesystem::directory_iterator tasks("/proc/" + std::to_string(watch.pid()) + "/task");
    return std::distance(begin(tasks), end(tasks));
  };
  std::ptrdiff_t idle = 0;
  REQUIRE(becomes([&] { return (idle = threads()) <= 4; }, kSoon));
  resolver.ask("10.0.3.250");                        // nobody
  n1.must({"rm", "-rf", "/var/cache/plumb/names"});  // with what it has kept it would wait for a second only
  n1.must({"ip", "address", "del", "10.0.3.77/24", "dev", "eth0"});
  REQUIRE(becomes([&] { return threads() > idle; }, kSoon));
  const Outcome outcome = watch.end();
  CHECK_MESSAGE(outcome.exit_code == 0, outcome.out);
  resolver.say("10.0.3.77");
}

TEST_CASE("a name that nobody has ever resolved is an error, and nothing is touched") {
  const Node n1("n1");
  const Resolver resolver(n1);
  const Service host("host", kSpec);
  resolver.ask("10.0.3.1");
  const State before = host.state(n1);
  const Outcome start = host.plumb(n1, "start");
  CHECK(start.exit_code != 0);
  CHECK_MESSAGE(has(start, "ip#0: ipname www.svc.test"), start.err);
  CHECK(difference(before, host.state(n1)) == "");
}

// The value of a sysctl of eth0 in the namespace of the pause.
std::string sysctl_inside(const Node& node, const std::string& service, const std::string& key) {
  const std::string pid = node.must({"docker", "inspect", "--format", "{{.State.Pid}}", service + ".container.0"});
  return node.must({"nsenter", "--net=/proc/" + pid.substr(0, pid.find('\n')) + "/ns/net", "sysctl", "-n",
                    "net.ipv6.conf.eth0." + key});
}

TEST_CASE("router advertisements are refused in the namespace, unless asked for") {
  const Node n1("n1");
  const auto spec = edited(edited(shared_engine_spec(), "ipname", "ipname = fd00:10:3::77"), "netmask", "netmask = 64");
  {
    const Service web("web", edited(spec, "gateway", ""));
    REQUIRE(web.plumb(n1, "start").exit_code == 0);
    CHECK(sysctl_inside(n1, "web", "accept_ra") == "0\n");
    CHECK(sysctl_inside(n1, "web", "autoconf") == "0\n");
  }
  const Service web("web", edited(spec, "gateway", "accept_ra = true"));
  REQUIRE(web.plumb(n1, "start").exit_code == 0);
  CHECK(sysctl_inside(n1, "web", "accept_ra") == "1\n");
  CHECK(sysctl_inside(n1, "web", "autoconf") == "1\n");
}

TEST_CASE("a duplicate that the kernel's own detection finds is an error with the rival's MAC") {
  const Node n1("n1");
  const auto spec = edited(edited(shared_engine_spec(), "ipname", "ipname = fd00:10:3::99"), "netmask", "netmask = 64");
  const Service web("web", edited(spec, "gateway", "conflict = warn\nprobe = rfc"));
  const State before = web.state(n1);
  const std::string mac = lab({"rival", "fd00:10:3::99"});
  const Outcome start = web.plumb(n1, "start");
  lab({"rival", "--gone"});
  CHECK(start.exit_code == 5);
  CHECK_MESSAGE(has(start, "another host of the LAN has this address (" + mac.substr(0, 17) + ")"), start.err);
}

}  // namespace
}  // namespace plumb::lab
