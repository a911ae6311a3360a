// The client against a real Docker Engine of the test's own.
#include <doctest/doctest.h>

#include <filesystem>
#include <thread>

#include "docker_client/container.h"
#include "docker_client/events.h"
#include "docker_client/image.h"
#include "docker_client/info.h"
#include "docker_client/waiter.h"
#include "tests/docker_client/archive.h"
#include "tests/docker_client/engine.h"
#include "tests/docker_client/real.h"

using namespace plumb;          // NOLINT(google-build-using-namespace)
using namespace plumb::docker;  // NOLINT(google-build-using-namespace)
using plumb::test::Engine;
using plumb::test::good;
using plumb::test::import_busybox;

namespace {

const Call kCall{std::chrono::seconds(60), {}};

ContainerConfig sleeper(const std::string& name) {
  ContainerConfig config;
  config.name = name;
  config.image = test::kImage;
  config.cmd = {"sh", "-c", "trap 'exit 7' TERM; sleep 1000 & wait"};
  config.network_mode = "none";
  return config;
}

// With everything that the engine checks.
ContainerConfig rich() {
  ContainerConfig config = sleeper("life");
  config.labels = {{"plumb.service", "svc1"}, {"plumb.resource", "container#0"}};
  config.env = {{"NAME", "va=l\"ue"}};
  config.stop_timeout = std::chrono::seconds(3);
  config.hostname = "box";
  config.init = true;
  config.cap_drop = {"ALL"};
  config.security_opt = {"no-new-privileges"};
  config.readonly_rootfs = true;
  config.sysctls = {{"net.ipv4.ip_unprivileged_port_start", "80"}};
  config.tmpfs = {{"/tmp", "size=1m"}};
  config.ulimits = {{"nofile", 64, 128}};
  return config;
}

void check_created(const Container& container, const std::string& id) {
  CHECK(container.id == id);
  CHECK(container.name == "life");
  CHECK(container.image == test::kImage);
  CHECK(container.image_id.starts_with("sha256:"));
  CHECK(container.labels.at("plumb.service") == "svc1");
  CHECK(container.state == "created");
  CHECK_FALSE(container.running);
  CHECK(container.pid == 0);
  CHECK(container.network_mode == "none");
  CHECK(container.stop_timeout == std::chrono::seconds(3));
}

void check_running(const Container& container) {
  CHECK(container.running);
  CHECK(container.state == "running");
  CHECK(container.pid > 0);
  CHECK(std::filesystem::exists("/proc/" + std::to_string(container.pid) + "/ns/net"));
  CHECK_FALSE(container.sandbox_key.empty());
  CHECK_FALSE(container.started_at.empty());
}

}  // namespace

TEST_CASE("a container lives its life on a real engine") {
  Engine engine;
  good(engine.start());
  Client client = good(Client::open(engine.socket()));
  CHECK(client.version() >= kOldestApi);
  CHECK_FALSE(client.manners().keeps_joined);
  import_busybox(client);
  const Created created = good(create_container(client, rich(), kCall));
  CHECK(created.id.size() == 64);

  check_created(*good(inspect_container(client, "life", kCall)), created.id);
  CHECK(good(start_container(client, created.id, kCall)));
  CHECK_FALSE(good(start_container(client, created.id, kCall)));  // 304
  check_running(*good(inspect_container(client, created.id, kCall)));

  const auto listed = good(list_containers(client, {"plumb.service=svc1", "plumb.resource"}, kCall));
  REQUIRE(listed.size() == 1);
  CHECK(listed[0].id == created.id);
  CHECK(listed[0].name == "life");
  CHECK(listed[0].running);
  CHECK(listed[0].network_mode == "none");
  CHECK(good(list_containers(client, {"plumb.service=other"}, kCall)).empty());

  Waiter waiter = good(Waiter::open(client, created.id, WaitCondition::not_running, kCall));
  const auto early = waiter.wait({std::chrono::milliseconds(20), {}});
  REQUIRE_FALSE(early);
  CHECK(early.error().kind == ErrorKind::timeout);
  CHECK(good(stop_container(client, created.id, std::nullopt, kCall)));
  CHECK(good(waiter.wait(kCall)).status == 7);
  CHECK_FALSE(good(stop_container(client, created.id, std::nullopt, kCall)));  // 304
  CHECK_FALSE(good(kill_container(client, created.id, "SIGKILL", kCall)));     // 409
  CHECK(good(inspect_container(client, created.id, kCall))->exit_code == 7);

  good(rename_container(client, created.id, "other", kCall));
  CHECK_FALSE(good(inspect_container(client, "life", kCall)).has_value());
  CHECK(good(inspect_container(client, "other", kCall)).has_value());
  CHECK(good(remove_container(client, created.id, {}, kCall)));
  CHECK_FALSE(good(remove_container(client, created.id, {}, kCall)));  // 404
}

TEST_CASE("what a real engine refuses comes back in its own words") {
  Engine engine;
  good(engine.start());
  Client client = good(Client::open(engine.socket()));
  import_busybox(client);
  const Created first = good(create_container(client, sleeper("taken"), kCall));

  const auto second = create_container(client, sleeper("taken"), kCall);
  REQUIRE_FALSE(second);
  CHECK(second.error().kind == ErrorKind::exists);
  CHECK(second.error().code == 409);
  CHECK(name_holder(second.error().what) == first.id);
  CHECK(second.error().what.starts_with("create container taken at unix://" + engine.socket() + ": Conflict"));

  ContainerConfig no_image = sleeper("no-image");
  no_image.image = "absent:1";
  const auto absent = create_container(client, no_image, kCall);
  REQUIRE_FALSE(absent);
  CHECK(absent.error().kind == ErrorKind::not_found);
  CHECK(absent.error().what.ends_with("No such image: absent:1"));

  ContainerConfig sibling = sleeper("sibling");
  sibling.network_mode = "container:" + first.id;
  const Created joined = good(create_container(client, sibling, kCall));
  const auto refused = start_container(client, joined.id, kCall);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().what.find("non running container") != std::string::npos);

  ContainerConfig wrong = sleeper("wrong");
  wrong.network_mode = "container:" + first.id;
  wrong.hostname = "own";
  const auto bad = create_container(client, wrong, kCall);
  REQUIRE_FALSE(bad);
  CHECK(bad.error().kind == ErrorKind::refused);
  CHECK(bad.error().code == 400);

  good(start_container(client, first.id, kCall));
  const auto runs = remove_container(client, first.id, {}, kCall);
  REQUIRE_FALSE(runs);
  CHECK(runs.error().kind == ErrorKind::refused);
  const auto taken = rename_container(client, joined.id, "taken", kCall);
  REQUIRE_FALSE(taken);
  CHECK(taken.error().kind == ErrorKind::exists);
  CHECK(good(remove_container(client, first.id, {.force = true}, kCall)));
}

TEST_CASE("a container that is not there is told, or nothing to remove") {
  Engine engine;
  good(engine.start());
  Client client = good(Client::open(engine.socket()));
  for (const std::string id : {"nowhere", "a/b", "..", "", "x?y=1"}) {
    CAPTURE(id);
    CHECK_FALSE(start_container(client, id, kCall));
    CHECK_FALSE(stop_container(client, id, std::chrono::seconds(0), kCall));
  }
  CHECK(start_container(client, "nowhere", kCall).error().kind == ErrorKind::not_found);
  CHECK(stop_container(client, "nowhere", std::nullopt, kCall).error().kind == ErrorKind::not_found);
  CHECK(kill_container(client, "nowhere", "TERM", kCall).error().kind == ErrorKind::not_found);
  CHECK(Waiter::open(client, "nowhere", WaitCondition::not_running, kCall).error().kind == ErrorKind::not_found);
  CHECK(good(good(Waiter::open(client, "nowhere", WaitCondition::removed, kCall)).wait(kCall)).gone);
}

TEST_CASE("a container that removes itself is waited for until its name is free") {
  Engine engine;
  good(engine.start());
  Client client = good(Client::open(engine.socket()));
  import_busybox(client);
  for (int round = 0; round < 5; ++round) {
    ContainerConfig config = sleeper("pause");
    config.auto_remove = true;
    const Created created = good(create_container(client, config, kCall));
    good(start_container(client, created.id, kCall));
    Waiter removed = good(Waiter::open(client, created.id, WaitCondition::removed, kCall));
    CHECK(good(stop_container(client, created.id, std::chrono::seconds(5), kCall)));
    if (round % 2 == 1) {
      // A removal beside the engine's own: 204, 404 and 409 "already in progress" all mean that it goes.
      static_cast<void>(good(remove_container(client, created.id, {.force = true}, kCall)));
    }
    const Exit exit = good(removed.wait(kCall));
    // 137: it was told to stop before its shell had set the trap, and killed in the end.
    CHECK((exit.gone || exit.status == 7 || exit.status == 137));
    CHECK_FALSE(good(inspect_container(client, "pause", kCall)).has_value());
  }
}

TEST_CASE("many threads share one client") {
  Engine engine;
  good(engine.start());
  Client client = good(Client::open(engine.socket()));
  import_busybox(client);
  std::vector<std::thread> threads;
  std::atomic<int> whole{0};
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&client, &whole, i] {
      const auto created = create_container(client, sleeper("many" + std::to_string(i)), kCall);
      if (!created) return;
      for (int k = 0; k < 20; ++k) {
        const auto seen = inspect_container(client, created->id, kCall);
        if (!seen || !*seen || (*seen)->id != created->id) return;
      }
      if (remove_container(client, created->id, {}, kCall)) ++whole;
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(whole == 8);
}

TEST_CASE("events of a real engine come in order, and only ours") {
  Engine engine;
  good(engine.start());
  Client client = good(Client::open(engine.socket()));
  import_busybox(client);
  EventStream events =
      good(EventStream::open(client, {.types = {"container"}, .labels = {"plumb.service=svc1"}}, kCall));
  ContainerConfig config = sleeper("ours");
  config.labels = {{"plumb.service", "svc1"}};
  const Created foreign = good(create_container(client, sleeper("foreign"), kCall));
  const Created ours = good(create_container(client, config, kCall));
  good(start_container(client, ours.id, kCall));
  good(remove_container(client, foreign.id, {}, kCall));
  good(remove_container(client, ours.id, {.force = true}, kCall));
  std::vector<std::string> actions;
  while (actions.empty() || actions.back() != "destroy") {
    const Event event = good(events.next(kCall));
    CHECK(event.id == ours.id);
    CHECK(event.type == "container");
    CHECK(event.time_ns > 0);
    if (event.action == "die") CHECK(event.attributes.at("exitCode") == "137");
    actions.push_back(event.action);
  }
  CHECK(actions == std::vector<std::string>{"create", "start", "kill", "die", "destroy"});
  const auto none = events.next({std::chrono::milliseconds(30), {}});
  REQUIRE_FALSE(none);
  CHECK(none.error().kind == ErrorKind::timeout);

  SUBCASE("a stop request ends the wait at once") {
    std::stop_source source;
    std::jthread stopper([&source] { source.request_stop(); });
    const auto stopped = events.next({std::chrono::hours(1), source.get_token()});
    REQUIRE_FALSE(stopped);
    CHECK(stopped.error().kind == ErrorKind::cancelled);
  }
  SUBCASE("the end of the engine ends the stream") {
    engine.stop();
    auto ended = events.next(kCall);
    while (ended) ended = events.next(kCall);
    CHECK(ended.error().kind == ErrorKind::unreachable);
  }
}

TEST_CASE("an image goes out of an engine and into it again") {
  Engine engine;
  good(engine.start());
  Client client = good(Client::open(engine.socket()));
  CHECK_FALSE(good(inspect_image(client, test::kImage, kCall)).has_value());
  import_busybox(client);
  const Image image = *good(inspect_image(client, test::kImage, kCall));
  CHECK(image.id.starts_with("sha256:"));
  CHECK(image.tags == std::vector<std::string>{test::kImage});

  const std::string archive =
      good(client.send({.path = std::string("/images/") + test::kImage + "/get", .what = "save image"}, kCall)).body;
  good(client.send({.method = Method::del, .path = std::string("/images/") + test::kImage, .what = "remove image"},
                   kCall));
  CHECK_FALSE(good(inspect_image(client, test::kImage, kCall)).has_value());
  CHECK(good(load_image(client, archive, kCall)) == std::vector<std::string>{test::kImage});
  CHECK(good(inspect_image(client, test::kImage, kCall))->id == image.id);

  const auto cut = load_image(client, std::string_view(archive).substr(0, archive.size() / 2), kCall);
  REQUIRE_FALSE(cut);
  MESSAGE(cut.error().what);
  CHECK_FALSE(load_image(client, "", kCall));
}

TEST_CASE("the engine says who it is") {
  Engine engine;
  good(engine.start());
  Client client = good(Client::open(engine.socket()));
  const Info info = good(engine_info(client, kCall));
  CHECK(info.root_dir == engine.folder() + "/data");
  CHECK_FALSE(info.id.empty());
  CHECK_FALSE(info.server_version.empty());
  const Version version = good(engine_version(client, kCall));
  CHECK(version.version == info.server_version);
  CHECK(client.version() <= good(parse_api_version(version.api_version)));
}

TEST_CASE("a client outlives its engine's restart") {
  Engine engine;
  good(engine.start());
  Client client = good(Client::open(engine.socket()));
  import_busybox(client);
  const Created created = good(create_container(client, sleeper("kept"), kCall));
  Waiter waiter = good(Waiter::open(client, created.id, WaitCondition::next_exit, kCall));
  engine.stop();
  const auto lost = waiter.wait(kCall);
  REQUIRE_FALSE(lost);
  CHECK(lost.error().kind == ErrorKind::unreachable);
  const auto gone = inspect_container(client, created.id, kCall);
  REQUIRE_FALSE(gone);
  CHECK(gone.error().kind == ErrorKind::unreachable);
  CHECK_FALSE(gone.error().next.empty());
  good(engine.start());
  CHECK(good(inspect_container(client, created.id, kCall)).has_value());
}

TEST_CASE("no descriptor is left behind") {
  Engine engine;
  good(engine.start());
  const auto count = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), std::filesystem::directory_iterator());
  };
  const auto use = [&engine] {
    Client client = good(Client::open(engine.socket()));
    CHECK_FALSE(good(inspect_container(client, "nobody", kCall)).has_value());
    const EventStream events = good(EventStream::open(client, {}, kCall));
    CHECK_FALSE(Client::open(engine.socket() + ".absent"));
  };
  use();
  const auto before = count();
  for (int i = 0; i < 20; ++i) use();
  CHECK(count() == before);
}
