// A node that reaches the services on its own macvlans.
#include <doctest/doctest.h>

#include <set>

#include "tests/lab/capture.h"
#include "tests/lab/service.h"

namespace plumb::lab {
namespace {

using namespace std::chrono_literals;

const Node& n1() {
  static const Node node("n1");
  return node;
}

bool reaches(const Node& node, const std::string& address) {
  // nginx may not listen yet: a start does not wait for what its containers do.
  return node.run({"curl", "-s", "-o", "/dev/null", "--max-time", "2", "--retry", "3", "--retry-connrefused",
                   "--retry-max-time", "2", "http://" + address + "/"})
             .exit_code == 0;
}

// Nothing of it is kept by a stop.
std::string with_access(const std::string& address) {
  const auto spec = edited(edited(shared_engine_spec(), "ipname", "ipname = " + address), "gateway",
                           "gateway = 10.0.3.1\nhost_access = true");
  return edited(spec, "image = nginx", "image = nginx\nrm = true");
}

bool has_host_link(const Node& node) { return node.must({"ip", "-br", "link"}).find("plh") != std::string::npos; }

TEST_CASE("with host_access the node reaches its own service, and without it does not") {
  {
    const Service web("web", shared_engine_spec());
    REQUIRE(web.plumb(n1(), "start").exit_code == 0);
    CHECK(answers("10.0.3.3"));
    CHECK_FALSE(reaches(n1(), "10.0.3.3"));
  }
  const Service web("web", with_access("10.0.3.3"));
  const State before = web.state(n1());
  const Outcome start = web.plumb(n1(), "start");
  REQUIRE_MESSAGE(start.exit_code == 0, start.err);
  CHECK(reaches(n1(), "10.0.3.3"));
  CHECK(answers("10.0.3.3"));
  // The service reaches its node, too.
  CHECK(n1().run({"docker", "exec", "web.container.1", "curl", "-s", "-o", "/dev/null", "--max-time", "1",
                  "http://10.0.3.11:9/"})
            .exit_code != 28);
  CHECK(web.plumb(n1(), "stop").exit_code == 0);
  CHECK(difference(before, web.state(n1())) == "");
}

TEST_CASE("with host_access the node reaches both addresses of a dual stack, and is reached, and nothing is left") {
  const auto spec = edited(edited(with_access("10.0.3.3"), "ipname", "ipname = 10.0.3.3 fd00:10:3::33"), "netmask",
                           "netmask = 24 64");
  const Service web("web", spec);
  const State before = web.state(n1());
  const Outcome start = web.plumb(n1(), "start");
  REQUIRE_MESSAGE(start.exit_code == 0, start.err);
  CHECK(reaches(n1(), "10.0.3.3"));
  CHECK(reaches(n1(), "[fd00:10:3::33]"));
  CHECK(reaches(Node("client"), "[fd00:10:3::33]"));
  {
    const Service other("other", with_access("10.0.3.4"));
    REQUIRE(other.plumb(n1(), "start").exit_code == 0);
    CHECK(web.plumb(n1(), "stop").exit_code == 0);
    CHECK(reaches(n1(), "10.0.3.4"));
  }
  CHECK_FALSE(has_host_link(n1()));
  CHECK(difference(before, web.state(n1())) == "");
}

TEST_CASE("the node still has one MAC on the LAN") {
  const Service web("web", with_access("10.0.3.3"));
  REQUIRE(web.plumb(n1(), "start").exit_code == 0);
  REQUIRE(has_host_link(n1()));
  const Node client("client");
  Capture wire(client, "eth0");
  client.must({"ip", "neighbour", "flush", "to", "10.0.3.11"});
  client.must({"ping", "-c", "3", "-i", "0.2", "10.0.3.11"});
  std::set<std::string> macs;
  for (const auto& frame : wire.frames())
    if (const auto arp = frame.arp(); arp && arp->claims("10.0.3.11")) macs.insert(arp->sender_mac);
  CHECK(macs.size() == 1);
}

TEST_CASE("services share the node's link, and the last one takes it away") {
  const Service one("one", with_access("10.0.3.3"));
  const Service two("two", with_access("10.0.3.4"));
  const State before = one.state(n1());
  REQUIRE(one.plumb(n1(), "start").exit_code == 0);
  REQUIRE(two.plumb(n1(), "start").exit_code == 0);
  CHECK(reaches(n1(), "10.0.3.3"));
  CHECK(reaches(n1(), "10.0.3.4"));
  CHECK(one.plumb(n1(), "stop").exit_code == 0);
  CHECK(reaches(n1(), "10.0.3.4"));
  CHECK(two.plumb(n1(), "stop").exit_code == 0);
  CHECK_FALSE(has_host_link(n1()));
  CHECK(difference(before, one.state(n1())) == "");
}

TEST_CASE("a way that was taken by hand is said by status, and put back by start") {
  const Service web("web", with_access("10.0.3.3"));
  REQUIRE(web.plumb(n1(), "start").exit_code == 0);
  n1().must({"ip", "route", "del", "10.0.3.3/32"});
  const Outcome status = web.plumb(n1(), "status");
  CHECK(status.exit_code == 4);
  CHECK_MESSAGE(status.out.find("the node itself cannot reach it") != std::string::npos, status.out);
  CHECK(web.plumb(n1(), "start").exit_code == 0);
  CHECK(reaches(n1(), "10.0.3.3"));
  CHECK(web.plumb(n1(), "status").exit_code == 0);
}

TEST_CASE("a start that is refused leaves no link on the node") {
  const Service web("web", with_access("10.0.3.3"));
  const State before = web.state(n1());
  lab({"rival", "10.0.3.3"});
  CHECK(web.plumb(n1(), "start").exit_code == 5);
  lab({"rival", "--gone"});
  CHECK(difference(before, web.state(n1())) == "");
}

}  // namespace
}  // namespace plumb::lab
