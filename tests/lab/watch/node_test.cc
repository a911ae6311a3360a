// The watcher and what services have on the node itself: bridges, ways of the node's own, the state of the cable.
#include <doctest/doctest.h>

#include "tests/lab/capture.h"
#include "tests/lab/extra_port.h"
#include "tests/lab/watch/watch.h"

namespace plumb::lab {
namespace {

using namespace std::chrono_literals;

// The first device of the node whose name begins so; empty when there is none.
std::string first_link(const Node& node, const std::string& prefix) {
  const std::string links = node.must({"ip", "-o", "link"});
  const auto begin = links.find(" " + prefix);
  return begin == std::string::npos ? "" : links.substr(begin + 1, links.find_first_of("@:", begin) - begin - 1);
}

TEST_CASE("a service on a bridge whose pause is killed, or whose port is taken away, is plumbed again") {
  const ExtraPort port("n1", "eth9");
  const Node& n1 = port.node();
  n1.must({"bash", "-c",
           "ip link add br0 type bridge && ip link set br0 up && ip link set eth9 master br0 && ip link set eth9 up && "
           "until [[ $(</sys/class/net/br0/operstate) == up ]]; do :; done"});
  {
    const Service web("web", edited(shared_engine_spec(), "ipdev", "ipdev = br0"));
    const Outcome start = web.plumb(n1, "start");
    CAPTURE(start.err);
    REQUIRE(start.exit_code == 0);
    CHECK(start.out.find("veth on bridge br0") != std::string::npos);
    Watch watch(n1);
    REQUIRE(watch.says("listening to the engine"));
    const std::string old = namespace_of(n1, "web.container.0");
    Capture wire(Node("client"), "eth0");
    n1.must({"docker", "kill", "web.container.0"});
    REQUIRE_MESSAGE(watch.says("up again"), watch.log());
    CHECK(answers_at_last());
    CHECK(wire.await([](const Frame& f) { return f.arp() && f.arp()->claims(kServiceAddress); }, 5s));
    CHECK(namespace_of(n1, "web.container.0") != old);
    CHECK(namespace_of(n1, "web.container.1") == namespace_of(n1, "web.container.0"));
    CHECK(web.plumb(n1, "status").exit_code == 0);
    // Its end on the bridge takes the other one along; out of the bridge, it is as good as cut, also when that is
    // another one by then.
    const std::string inner = "$(cd /sys/class/net && grep -l '^plumb web ip#0$' */ifalias | cut -d/ -f1)";
    for (const std::string& damage :
         {"ip link delete " + inner, "ip link set " + inner + " nomaster",
          std::string("ip link delete br0 && ip link add br0 type bridge && ip link set br0 "
                      "up && ip link set eth9 master br0")}) {
      CAPTURE(damage);
      watch.forget();
      n1.must({"bash", "-c", damage});
      CHECK_MESSAGE(watch.says("up again"), watch.log());
      CHECK(answers_at_last());
      CHECK(web.plumb(n1, "status").exit_code == 0);
    }
    // Without the watcher it is not silent either.
    CHECK(watch.end().exit_code == 0);
    n1.must({"bash", "-c", "ip link set " + inner + " nomaster"});
    const Outcome status = web.plumb(n1, "status");
    CHECK(status.exit_code == 4);
    CHECK_MESSAGE(status.out.find("the port of eth0 is not in the bridge br0") != std::string::npos, status.out);
    CHECK(web.plumb(n1, "start").exit_code == 0);
    CHECK(answers_at_last());
    CHECK(web.plumb(n1, "stop").exit_code == 0);
    CHECK(n1.must({"ls", "/sys/class/net/br0/brif"}) == "eth9\n");
  }
  n1.must({"ip", "link", "delete", "br0"});
}

TEST_CASE("the node's own way to a service is taken away by hand: put back, and then it is quiet") {
  const Node n1("n1");
  const Service web("web", edited(shared_engine_spec(), "gateway", "gateway = 10.0.3.1\nhost_access = true"));
  REQUIRE(web.plumb(n1, "start").exit_code == 0);
  Watch watch(n1);
  REQUIRE(watch.says("listening to the engine"));
  const auto reaches = [&] { return n1.run({"ping", "-c1", "-W2", kServiceAddress}).exit_code == 0; };
  CHECK(reaches());
  for (const bool whole : {false, true}) {
    CAPTURE(whole);
    watch.forget();
    if (whole)
      n1.must({"ip", "link", "delete", first_link(n1, "plh")});
    else
      n1.must({"ip", "route", "delete", kServiceAddress + "/32"});
    CHECK_MESSAGE(watch.says("up again"), watch.log());
    CHECK(reaches());
    CHECK(answers_at_last());
    CHECK(web.plumb(n1, "status").exit_code == 0);
    watch.forget();
    CHECK_FALSE_MESSAGE(watch.says("healing", 500ms), watch.log());
  }
  // Stopped, it is nobody's concern any more.
  CHECK(web.plumb(n1, "stop").exit_code == 0);
  CHECK(first_link(n1, "plh").empty());
}

TEST_CASE("a cable that was out before the watcher came is plugged in: the address is asked for, and announced") {
  const Node n1("n1");
  const Service web("web", edited(shared_engine_spec(), "gateway", "gateway = 10.0.3.1\nannounce = 1"));
  REQUIRE(web.plumb(n1, "start").exit_code == 0);
  lab({"cut", "n1"});
  Watch watch(n1);
  CHECK_MESSAGE(watch.says("has no carrier"), watch.log());
  Capture wire(Node("client"), "eth0");
  lab({"mend", "n1"});
  CHECK_MESSAGE(watch.says("eth0 has its carrier again: asking whether somebody has 10.0.3.3"), watch.log());
  CHECK(wire.await([](const Frame& f) { return f.arp() && f.arp()->claims(kServiceAddress); }, 5s));
  CHECK(answers_at_last());
}

}  // namespace
}  // namespace plumb::lab
