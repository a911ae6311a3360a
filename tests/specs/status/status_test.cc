#include "specs/status/status.h"

#include <doctest/doctest.h>

#include "specs/plan/planner.h"
#include "tests/specs/plan/svc1.h"

using namespace plumb;
using test::bare_node;
using test::svc1;
using test::whole;

namespace {

const ResourceStatus& resource(const ServiceStatus& status, std::string_view id) {
  for (const auto& r : status.resources)
    if (r.id == id) return r;
  FAIL("no resource ", id);
  return status.resources.front();
}

}  // namespace

TEST_CASE("a whole service is up, an absent one down") {
  CHECK(evaluate(svc1(), whole()).state == Availability::up);
  CHECK(evaluate(svc1(), bare_node()).state == Availability::down);
}

TEST_CASE("the kernel's word counts: each thing that would keep the address from answering is degraded, and named") {
  Observed o = whole();
  auto& ns = *o.containers["container#0"].netns;
  std::string expected;
  SUBCASE("address gone") {
    ns.addresses.clear();
    expected = "address 10.0.3.3 is not there";
  }
  SUBCASE("tentative") {
    ns.addresses[0].tentative = true;
    expected = "still tentative";
  }
  SUBCASE("dadfailed") {
    ns.addresses[0].dadfailed = true;
    expected = "duplicate address detected";
  }
  SUBCASE("route gone") {
    ns.routes.clear();
    expected = "no default route via 10.0.3.1";
  }
  SUBCASE("link down") {
    ns.links[0].up = false;
    expected = "its device is down";
  }
  SUBCASE("no carrier") {
    ns.links[0].carrier = false;
    expected = "has no carrier";
  }
  const auto status = evaluate(svc1(), o);
  CHECK(status.state == Availability::degraded);
  const auto& ip = resource(status, "ip#0");
  CHECK(ip.state == Availability::degraded);
  REQUIRE_FALSE(ip.problems.empty());
  CHECK_MESSAGE(ip.problems[0].find(expected) != std::string::npos, ip.problems[0]);
}

TEST_CASE("a sibling in another namespace than its owner's is degraded, however well it runs") {
  Observed o = whole();
  o.containers["container#1"].netns->inode = 78;
  const auto status = evaluate(svc1(), o);
  CHECK(resource(status, "container#1").state == Availability::degraded);
  CHECK(status.state == Availability::degraded);
}

TEST_CASE("an engine that does not answer makes the service unknown, not down") {
  Observed o = bare_node();
  o.engine.state = EngineState::unreachable;
  o.engine.error = {ErrorKind::unreachable, 0, "nobody listens", {}};
  const auto status = evaluate(svc1(), o);
  CHECK(status.state == Availability::unknown);
  CHECK(status.problems.at(0) == "nobody listens");
}

TEST_CASE("a disabled resource does not count") {
  auto s = svc1();
  s.containers[1].disable = true;
  auto o = whole();
  o.containers.erase("container#1");
  CHECK(evaluate(s, o).state == Availability::up);
}

TEST_CASE("an optional resource is shown and does not count") {
  auto s = svc1();
  s.containers[1].optional = true;
  auto o = whole();
  o.containers.erase("container#1");
  const auto status = evaluate(s, o);
  CHECK(status.state == Availability::up);
  CHECK(resource(status, "container#1").state == Availability::down);
}

TEST_CASE("a foreign container under our name is down, and said") {
  Observed o = bare_node();
  o.containers["container#1"].running = true;
  const auto status = evaluate(svc1(), o);
  CHECK(status.state == Availability::down);
  CHECK(resource(status, "container#1").problems.at(0).find("not this service's") != std::string::npos);
}
