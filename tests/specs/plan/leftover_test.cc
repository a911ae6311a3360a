// What a plan may remove of containers, and with what.
#include "specs/plan/leftover.h"

#include <doctest/doctest.h>

#include "specs/plan/spec_hash.h"
#include "tests/specs/plan/plans.h"
#include "tests/specs/plan/svc1.h"

using namespace plumb;
using namespace plumb::test;

namespace {

const std::vector<AnonymousVolume> kVolumes{{"v1", "/data"}, {"v2", "/logs", true}};

// svc1, whole, its web made by today's configuration, with two volumes.
Observed with_volumes(const Service& s) {
  Observed o = whole();
  for (auto& [id, have] : o.containers) {
    have.spec_hash = spec_hash(*s.container(id));
    have.network_mode = id == "container#0" ? "none" : "container:aaa";
  }
  o.containers["container#1"].volumes = kVolumes;
  return o;
}

ObservedContainer leftover(const std::string& name, const std::string& state, const std::string& resource) {
  ObservedContainer out;
  out.id = "old";
  out.name = name;
  out.state = state;
  out.running = state == "running";
  out.service = "svc1";
  out.resource = resource;
  return out;
}

const Step* find(const Plan& plan, std::string_view kind, const std::string& id) {
  for (const auto& step : plan.steps) {
    const auto* remove = std::get_if<ContainerRemove>(&step.operation);
    const auto* stop = std::get_if<ContainerStop>(&step.operation);
    if (step.kind() == kind &&
        ((remove != nullptr && remove->container.id == id) || (stop != nullptr && stop->container.id == id)))
      return &step;
  }
  return nullptr;
}

}  // namespace

TEST_CASE("who is made anew gets the volumes of the one before, but where it mounts something else") {
  auto s = svc1();
  auto o = with_volumes(s);
  o.containers["container#0"].running = false;
  o.containers["container#0"].state = "exited";
  o.containers["container#0"].netns.reset();
  o.containers["container#0"].auto_remove = true;
  const auto volumes = [&] {
    const auto p = must_plan(s, o, Verb::start);
    const auto* removed = find(p, ContainerRemove::kKind, "bbb");
    REQUIRE(removed != nullptr);
    CHECK(operand<ContainerRemove>(*removed).volumes == o.containers["container#1"].auto_remove);
    return operand<ContainerCreate>(p.steps[index_of(p, ContainerCreate::kKind, "container#1")]).volumes;
  };
  CHECK(volumes() == kVolumes);
  s.containers[1].volume_mounts.push_back({.source = "/srv", .target = "/data", .options = ""});
  CHECK(volumes() == std::vector{kVolumes[1]});
  s.containers[1].options.tmpfs["/logs"] = "";
  CHECK(volumes().empty());
  s = svc1();
  o.containers["container#1"].auto_remove = true;
  CHECK(volumes().empty());
}

TEST_CASE("a running container of a section that is gone, or has another name, is left to a restart") {
  auto s = svc1();
  auto o = with_volumes(s);
  o.leftovers.push_back(leftover("svc1.container.9", "running", "container#9"));
  s.containers[1].name = "web";
  const auto p = must_plan(s, o, Verb::start);
  CHECK_MESSAGE(p.empty(), kinds(p));
  REQUIRE(p.warnings.size() == 2);
  CHECK(p.warnings[0].starts_with("container#1: its configuration has changed"));
  CHECK(p.warnings[1].starts_with("container svc1.container.9 of this service runs"));

  const auto stop = must_plan(s, o, Verb::stop);
  CHECK(find(stop, ContainerStop::kKind, "old") != nullptr);
  CHECK(find(stop, ContainerRemove::kKind, "old") == nullptr);
  CHECK(find(stop, ContainerStop::kKind, "bbb") != nullptr);
}

TEST_CASE("a start beside the namespace's owner of a former configuration is refused, and touches nothing") {
  auto s = svc1();
  auto o = with_volumes(s);
  auto owner = o.containers["container#0"];
  owner.netns.reset();
  o.containers.erase("container#0");
  o.leftovers.push_back(owner);
  s.containers[0].id = "container#p";
  s.containers[0].name = "svc1.container.p";
  s.containers[1].netns = "container#p";
  s.ips[0].netns = "container#p";
  const auto p = plan(s, o, Verb::start);
  REQUIRE_FALSE(p);
  CHECK(p.error().kind == ErrorKind::refused);
  CHECK(p.error().next == "apply the configuration with plumb restart svc1");
}

TEST_CASE("a running container that would join another one by now is left to a restart, while what it joined runs") {
  auto s = svc1();
  auto o = with_volumes(s);
  auto other = s.containers[0];
  other.id = "container#2";
  other.name = "svc1.container.2";
  s.containers.push_back(other);
  auto have = o.containers["container#0"];
  have.id = "ccc";
  have.name = other.name;
  have.resource = other.id;
  have.spec_hash = spec_hash(other);
  have.netns->inode = 78;
  o.containers[other.id] = have;
  s.containers[1].netns = other.id;
  CHECK(must_plan(s, o, Verb::start).empty());
  // What it joined is gone: it is of no use as it is.
  o.containers["container#0"].id = "new";
  const auto p = must_plan(s, o, Verb::start);
  CHECK(find(p, ContainerStop::kKind, "bbb") != nullptr);
  CHECK(operand<ContainerCreate>(p.steps[index_of(p, ContainerCreate::kKind, "container#1")]).volumes == kVolumes);
}

TEST_CASE("of what is left over only rubbish is removed, and never with what a successor has got") {
  const auto s = svc1();
  struct Case {
    const char* name;
    const char* state;
    bool auto_remove, removed, volumes;
  };
  for (const Case& c : {Case{"svc1.container.9", "exited", false, false, false},
                        {"svc1.container.9", "exited", true, true, true},
                        {"svc1.container.9", "created", false, true, true},
                        {"svc1.container.9", "dead", false, true, false},
                        {"svc1.container.1.retired", "exited", false, true, false},
                        {"svc1.container.1.retired", "created", false, true, false}}) {
    CAPTURE(c.name);
    CAPTURE(c.state);
    auto o = with_volumes(s);
    auto left = leftover(c.name, c.state, "container#1");
    left.auto_remove = c.auto_remove;
    o.leftovers.push_back(left);
    for (const auto verb : {Verb::start, Verb::stop}) {
      const auto p = must_plan(s, o, verb);
      const auto* removed = find(p, ContainerRemove::kKind, "old");
      CHECK((removed != nullptr) == c.removed);
      if (removed != nullptr) CHECK(operand<ContainerRemove>(*removed).volumes == c.volumes);
    }
  }
}

TEST_CASE("a stop after a start that was killed keeps what was put aside, as its successor has never run") {
  const auto s = svc1();
  auto o = with_volumes(s);
  auto& next = o.containers["container#1"];
  next.running = false;
  next.state = "created";
  next.netns.reset();
  o.leftovers.push_back(leftover("svc1.container.1.retired", "exited", "container#1"));
  const auto p = must_plan(s, o, Verb::stop);
  CHECK(find(p, ContainerRemove::kKind, "bbb") != nullptr);
  CHECK(find(p, ContainerRemove::kKind, "old") == nullptr);
  // Nothing has its name: it is the resource's, and is made anew with its volumes.
  auto aside = o;
  aside.containers["container#1"] = leftover("svc1.container.1.retired", "exited", "container#1");
  aside.containers["container#1"].volumes = kVolumes;
  aside.leftovers.clear();
  const auto again = must_plan(s, aside, Verb::start);
  CHECK(operand<ContainerCreate>(again.steps[index_of(again, ContainerCreate::kKind, "container#1")]).volumes ==
        kVolumes);
  for (const auto& step : again.steps) CHECK(step.kind() != ContainerRetire::kKind);
  CHECK(again.steps.back().kind() == ContainerRemove::kKind);
}

TEST_CASE("one that its engine removes at its end is gone before its successor gets the name") {
  const auto s = svc1();
  auto o = with_volumes(s);
  auto& web = o.containers["container#1"];
  web.auto_remove = true;
  o.containers["container#0"].id = "new";
  const auto p = must_plan(s, o, Verb::start);
  const auto removed = index_of(p, ContainerRemove::kKind, "container#1");
  CHECK(comes_after(p, removed, index_of(p, ContainerStop::kKind, "container#1")));
  CHECK(comes_after(p, index_of(p, ContainerCreate::kKind, "container#1"), removed));
}
