// Containers that the start waits for (detach = false).
#include <doctest/doctest.h>

#include <algorithm>

#include "specs/plan/planner.h"
#include "specs/status/status.h"
#include "tests/specs/plan/plans.h"
#include "tests/specs/plan/svc1.h"

using namespace plumb;
using test::bare_node;
using test::must_plan;
using test::operand;
using test::svc1;

namespace {

// svc1 with an init container between its pause and its nginx.
Service with_init() {
  Service s = svc1();
  ContainerResource init;
  init.id = "container#init";
  init.name = "svc1.container.init";
  init.image = "busybox";
  init.netns = "container#0";
  init.detach = false;
  s.containers.insert(s.containers.begin() + 1, init);
  return s;
}

const Step* step_of(const Plan& plan, std::string_view kind, const std::string& resource) {
  const auto found = std::find_if(plan.steps.begin(), plan.steps.end(),
                                  [&](const Step& s) { return s.kind() == kind && s.resource == resource; });
  return found == plan.steps.end() ? nullptr : &*found;
}

bool comes_after(const Plan& plan, const Step* later, const Step* earlier) {
  REQUIRE(later != nullptr);
  REQUIRE(earlier != nullptr);
  return std::any_of(later->after.begin(), later->after.end(), [&](std::size_t i) {
    return &plan.steps[i] == earlier || comes_after(plan, &plan.steps[i], earlier);
  });
}

// All of it as a start leaves it.
Observed whole(const Service& s) {
  Observed o = bare_node();
  for (const auto& c : s.containers) {
    ObservedContainer have;
    have.id = "id of " + c.id;
    have.name = c.name;
    have.state = c.detach ? "running" : "exited";
    have.running = c.detach;
    have.service = "svc1";
    have.resource = c.id;
    have.spec_hash = spec_hash(c);
    have.network_mode = c.netns.empty() ? "none" : "container:id of " + c.netns;
    have.started_at = c.detach ? "2026-01-31T10:00:00Z" : "2026-01-31T10:00:00.5Z";
    if (c.detach) have.netns = ObservedNetns{0, 77, {}, {}, {}};
    o.containers[c.id] = have;
  }
  auto& ns = *o.containers["container#0"].netns;
  ns.links = {{5, "eth0", "macvlan", {}, 1500, true, true, 2, 0}};
  ns.addresses = {{Cidr::parse("10.0.3.3/24").value(), 5, false, false}};
  ns.routes = {{std::nullopt, IpAddress::parse("10.0.3.1").value(), 5}};
  return o;
}

const ResourceStatus& resource(const ServiceStatus& status, std::string_view id) {
  const auto found =
      std::find_if(status.resources.begin(), status.resources.end(), [&](const auto& r) { return r.id == id; });
  REQUIRE(found != status.resources.end());
  return *found;
}

}  // namespace

TEST_CASE("an init container runs in its place: after the address, and before what follows it in the file") {
  Service s = with_init();
  auto before = s.containers[2];
  before.id = "container#before";
  before.name = "svc1.container.before";
  s.containers.insert(s.containers.begin() + 1, before);
  const auto p = must_plan(s, bare_node(), Verb::start);
  const auto* init = step_of(p, ContainerStart::kKind, "container#init");
  REQUIRE(init != nullptr);
  CHECK(operand<ContainerStart>(*init).to_its_end);
  CHECK(describe(*init) == "run container svc1.container.init to its end");
  CHECK(comes_after(p, init, step_of(p, AddressAnnounce::kKind, "ip#0")));
  CHECK(comes_after(p, init, step_of(p, ContainerStart::kKind, "container#before")));
  const auto* web = step_of(p, ContainerStart::kKind, "container#1");
  CHECK_FALSE(operand<ContainerStart>(*web).to_its_end);
  CHECK(comes_after(p, web, init));
  // What takes time is done meanwhile.
  CHECK_FALSE(comes_after(p, step_of(p, ContainerCreate::kKind, "container#1"), init));
  CHECK_FALSE(comes_after(p, step_of(p, ContainerStart::kKind, "container#before"), init));
}

TEST_CASE("init containers follow each other, and the owner of another namespace waits for none of them") {
  Service s = with_init();
  auto second = s.containers[1];
  second.id = "container#init2";
  second.name = "svc1.container.init2";
  auto lender = s.containers[0];
  lender.id = "container#2";
  lender.name = "svc1.container.2";
  second.pidns = "container#2";  // later in the file, and still before it
  auto other = s.containers[2];
  other.id = "container#3";
  other.name = "svc1.container.3";
  other.netns = "container#2";
  s.containers.insert(s.containers.end(), {second, lender, other});
  const auto p = must_plan(s, bare_node(), Verb::start);
  const auto start = [&](const std::string& id) { return step_of(p, ContainerStart::kKind, id); };
  CHECK(comes_after(p, start("container#init2"), start("container#init")));
  CHECK(comes_after(p, start("container#init2"), start("container#2")));
  CHECK_FALSE(comes_after(p, start("container#2"), start("container#init")));
  CHECK(comes_after(p, start("container#3"), start("container#init2")));
}

TEST_CASE("a running service has its init container done: it is up, and is not run again") {
  Service s = with_init();
  Observed o = whole(s);
  CHECK(must_plan(s, o, Verb::start).empty());
  const auto status = evaluate(s, o);
  CHECK(status.state == Availability::up);
  CHECK(resource(status, "container#init").state == Availability::up);
  CHECK(resource(status, "container#init").label.ends_with("done (exit code 0)"));
  // As with any container, a change is applied by a restart only.
  s.containers[1].command = {"true"};
  const auto changed = must_plan(s, o, Verb::start);
  CHECK(changed.empty());
  REQUIRE(changed.warnings.size() == 1);
  CHECK(changed.warnings[0].find("container#init: its configuration has changed") == 0);
}

TEST_CASE("an init container of an earlier run of the namespace's owner runs again, afresh") {
  const Service s = with_init();
  Observed o = whole(s);
  auto& init = o.containers["container#init"];
  SUBCASE("the owner has been started since") { o.containers["container#0"].started_at = "2026-01-31T10:00:00.51Z"; }
  SUBCASE("the owner is another container") { init.network_mode = "container:gone"; }
  SUBCASE("it failed") { init.exit_code = 3; }
  SUBCASE("it is dead") { init.state = "dead"; }
  const auto p = must_plan(s, o, Verb::start);
  CHECK(step_of(p, ContainerRetire::kKind, "container#init") != nullptr);
  CHECK(step_of(p, ContainerCreate::kKind, "container#init") != nullptr);
  CHECK_FALSE(operand<ContainerStart>(*step_of(p, ContainerStart::kKind, "container#init")).id);
  CHECK(step_of(p, ContainerStart::kKind, "container#1") == nullptr);
  const auto status = evaluate(s, o);
  CHECK(status.state == Availability::degraded);
  CHECK(resource(status, "container#init").state == Availability::down);
  if (init.exit_code == 3) CHECK(resource(status, "container#init").problems.at(0) == "it ended with exit code 3");
}

TEST_CASE("an init container that a killed start left is waited for where it runs, and started where it did not") {
  const Service s = with_init();
  Observed o = whole(s);
  o.containers.erase("container#1");
  auto& init = o.containers["container#init"];
  init.started_at.clear();
  SUBCASE("running") {
    init.state = "running";
    init.running = true;
    init.netns = ObservedNetns{0, 77, {}, {}, {}};
    const auto judged = evaluate(s, o);
    CHECK(resource(judged, "container#init").state == Availability::degraded);
  }
  SUBCASE("created") { init.state = "created"; }
  const auto p = must_plan(s, o, Verb::start);
  const auto* start = step_of(p, ContainerStart::kKind, "container#init");
  REQUIRE(start != nullptr);
  CHECK(operand<ContainerStart>(*start).id == init.id);
  CHECK(operand<ContainerStart>(*start).to_its_end);
  // One that has ended when its turn comes must not run once more.
  CHECK(operand<ContainerStart>(*start).runs == init.running);
  CHECK(describe(*start) == (init.running ? "await the end of container svc1.container.init"
                                          : "run container svc1.container.init to its end"));
  CHECK(step_of(p, ContainerCreate::kKind, "container#init") == nullptr);
  CHECK(comes_after(p, step_of(p, ContainerStart::kKind, "container#1"), start));
}

TEST_CASE("a stop removes an init container, whatever rm says") {
  const Service s = with_init();
  Observed o = whole(s);
  const auto ended = must_plan(s, o, Verb::stop);
  CHECK(step_of(ended, ContainerStop::kKind, "container#init") == nullptr);
  CHECK(step_of(ended, ContainerRemove::kKind, "container#init") != nullptr);
  auto& init = o.containers["container#init"];
  init.running = true;
  init.state = "running";
  const auto running = must_plan(s, o, Verb::stop);
  CHECK(comes_after(running, step_of(running, ContainerRemove::kKind, "container#init"),
                    step_of(running, ContainerStop::kKind, "container#init")));
}

TEST_CASE("an init container outside of the service's namespaces is done as long as something of the service runs") {
  Service s = with_init();
  s.containers[1].netns = "host";
  Observed o = whole(s);
  o.containers["container#init"].network_mode = "host";
  CHECK(must_plan(s, o, Verb::start).empty());
  // After a reboot of the node.
  for (auto& [id, have] : o.containers) {
    have.running = false;
    have.state = "exited";
    have.netns.reset();
  }
  CHECK(evaluate(s, o).state == Availability::down);
  CHECK(step_of(must_plan(s, o, Verb::start), ContainerCreate::kKind, "container#init") != nullptr);
  // One that is all there is: done is up.
  s.ips.clear();
  s.containers = {s.containers[1]};
  CHECK(evaluate(s, o).state == Availability::up);
}
