// One body of requests that the fake engine and every real engine answer alike: so the fake tells no lies.
#include <doctest/doctest.h>

#include "docker_client/container.h"
#include "docker_client/events.h"
#include "docker_client/image.h"
#include "docker_client/info.h"
#include "docker_client/log.h"
#include "docker_client/waiter.h"
#include "tests/docker_client/engine.h"
#include "tests/docker_client/fake_engine.h"
#include "tests/docker_client/real.h"

using namespace plumb;          // NOLINT(google-build-using-namespace)
using namespace plumb::docker;  // NOLINT(google-build-using-namespace)
using namespace plumb::test;    // NOLINT(google-build-using-namespace)

namespace {

const Call kCall{std::chrono::seconds(60), {}};

// What any engine says of things that are not there. Opens exactly the connections that absent_script() plays.
void check_absent(const std::string& socket) {
  Client client = good(Client::open(socket, kCall));
  CHECK(client.version() >= kOldestApi);
  CHECK_FALSE(good(inspect_container(client, "absent", kCall)).has_value());
  CHECK_FALSE(good(inspect_image(client, "plumb-test/absent:1", kCall)).has_value());
  CHECK(good(list_containers(client, {"plumb.service=absent"}, kCall)).empty());
  CHECK(start_container(client, "absent", kCall).error().kind == ErrorKind::not_found);
  CHECK(stop_container(client, "absent", std::chrono::seconds(1), kCall).error().kind == ErrorKind::not_found);
  CHECK_FALSE(good(remove_container(client, "absent", {.force = true, .volumes = true}, kCall)));
  CHECK_FALSE(good(engine_version(client, kCall)).version.empty());
  const auto created =
      create_container(client, {.name = "x", .image = "plumb-test/absent:1", .network_mode = "none"}, kCall);
  REQUIRE_FALSE(created);
  CHECK(created.error().code == 404);
  CHECK(created.error().kind == ErrorKind::not_found);
  CHECK(good(good(Waiter::open(client, "absent", WaitCondition::removed, kCall)).wait(kCall)).gone);
  EventStream events =
      good(EventStream::open(client, {.types = {"container"}, .labels = {"plumb.service=absent"}}, kCall));
  CHECK(events.next({std::chrono::milliseconds(20), {}}).error().kind == ErrorKind::timeout);
}

std::vector<Talk> absent_script() {
  const std::string no_container = answer(404, R"({"message":"No such container: absent"})");
  const std::string no_image = answer(404, R"({"message":"No such image: plumb-test/absent:1"})");
  return {{{ping("1.41"),
            {"GET /v1.41/containers/absent/json ", {no_container}},
            {"GET /v1.41/images/plumb-test%2Fabsent%3A1/json ", {no_image}},
            {"GET /v1.41/containers/json?all=1&filters=%7B%22label%22%3A%5B%22plumb.service%3Dabsent%22%5D%7D ",
             {answer(200, "[]\n")}},
            {"POST /v1.41/containers/absent/start ", {no_container}},
            {"POST /v1.41/containers/absent/stop?t=1 ", {no_container}},
            {"DELETE /v1.41/containers/absent?force=1&v=1 ", {no_container}},
            {"GET /v1.41/version ", {answer(200, R"({"Version":"20.10.24","ApiVersion":"1.41"})")}}}},
          {{
              {"POST /v1.41/containers/create?name=x ", {no_image}},
          }},
          {{{"POST /v1.41/containers/absent/wait?condition=removed ", {no_container}},
            {"GET /v1.41/events?filters=", {chunked_head()}}}}};
}

// Reads the events until the container is destroyed; the exit code that its `die` has.
std::string exit_code_told(EventStream& events, const std::string& id) {
  std::string code;
  for (;;) {
    const Event event = good(events.next(kCall));
    if (event.id != id) continue;
    if (event.action == "die") code = event.attributes.at("exitCode");
    if (event.action == "destroy") return code;
  }
}

// The life of a container on any real engine.
// A signal that comes before the container's program has set its trap would not be caught.
void await_ready(Client& client, const std::string& id) {
  std::string said;
  const LogSink sink = [&](LogOutput, std::string_view piece) -> Result<void> {
    said += piece;
    if (said.find("ready") == std::string::npos) return {};
    return Err{ErrorKind::cancelled, "heard enough"};
  };
  const auto read = read_log(client, id, false, {.follow = true}, sink, kCall);
  REQUIRE_FALSE(read);
  CHECK(read.error().what == "heard enough");
}

void check_life(const std::string& socket) {
  Client client = good(Client::open(socket, kCall));
  import_busybox(client);
  EventStream events =
      good(EventStream::open(client, {.types = {"container"}, .labels = {"plumb.service=svc1"}}, kCall));
  ContainerConfig config{
      .name = "pause", .image = kImage, .cmd = {"sh", "-c", "trap 'exit 7' TERM; echo ready; sleep 1000 & wait"}};
  config.labels = {{"plumb.service", "svc1"}};
  config.network_mode = "none";
  const Created pause = good(create_container(client, config, kCall));
  const auto twice = create_container(client, config, kCall);
  REQUIRE_FALSE(twice);
  CHECK(twice.error().kind == ErrorKind::exists);
  CHECK(name_holder(twice.error().what) == pause.id);
  CHECK(good(start_container(client, pause.id, kCall)));
  CHECK_FALSE(good(start_container(client, pause.id, kCall)));
  const Container running = *good(inspect_container(client, "pause", kCall));
  CHECK(running.id == pause.id);
  CHECK(running.running);
  CHECK(running.state == "running");
  CHECK(running.pid > 0);
  CHECK(running.labels.at("plumb.service") == "svc1");

  ContainerConfig sibling = config;
  sibling.name = "sibling";
  sibling.network_mode = "container:" + pause.id;
  const Created joined = good(create_container(client, sibling, kCall));
  CHECK(good(start_container(client, joined.id, kCall)));
  CHECK(good(list_containers(client, {"plumb.service=svc1"}, kCall)).size() == 2);
  await_ready(client, joined.id);
  CHECK(good(stop_container(client, joined.id, std::chrono::seconds(5), kCall)));
  CHECK(good(inspect_container(client, joined.id, kCall))->exit_code == 7);
  CHECK(good(remove_container(client, joined.id, {}, kCall)));

  await_ready(client, pause.id);
  Waiter stopped = good(Waiter::open(client, pause.id, WaitCondition::not_running, kCall));
  CHECK(good(stop_container(client, pause.id, std::chrono::seconds(5), kCall)));
  CHECK(good(stopped.wait(kCall)).status == 7);
  CHECK_FALSE(good(stop_container(client, pause.id, std::chrono::seconds(5), kCall)));
  CHECK(good(inspect_container(client, pause.id, kCall))->state == "exited");
  Waiter removed = good(Waiter::open(client, pause.id, WaitCondition::removed, kCall));
  CHECK(good(remove_container(client, pause.id, {.force = true, .volumes = true}, kCall)));
  static_cast<void>(good(removed.wait(kCall)));
  CHECK_FALSE(good(inspect_container(client, pause.id, kCall)).has_value());

  CHECK(exit_code_told(events, pause.id) == "7");
}

void check_self_removal(const std::string& socket) {
  Client client = good(Client::open(socket, kCall));
  import_busybox(client);
  ContainerConfig config{
      .name = "brief", .image = kImage, .cmd = {"sh", "-c", "trap 'exit 7' TERM; echo ready; sleep 1000 & wait"}};
  config.network_mode = "none";
  config.auto_remove = true;
  for (int round = 0; round < 3; ++round) {
    const Created created = good(create_container(client, config, kCall));
    good(start_container(client, created.id, kCall));
    Waiter removed = good(Waiter::open(client, created.id, WaitCondition::removed, kCall));
    CHECK(good(stop_container(client, created.id, std::chrono::seconds(5), kCall)));
    static_cast<void>(good(removed.wait(kCall)));
    CHECK_FALSE(good(inspect_container(client, "brief", kCall)).has_value());
  }
}

// A container that asks for no grace is asked to stop, and not killed.
void check_default_grace(const std::string& socket) {
  Client client = good(Client::open(socket, kCall));
  ContainerConfig config{
      .name = "polite", .image = kImage, .cmd = {"sh", "-c", "trap 'exit 7' TERM; echo ready; sleep 1000 & wait"}};
  config.network_mode = "none";
  const Created created = good(create_container(client, config, kCall));
  good(start_container(client, created.id, kCall));
  await_ready(client, created.id);
  CHECK(good(stop_container(client, created.id, std::nullopt, kCall)));
  CHECK(good(inspect_container(client, "polite", kCall))->exit_code == 7);
  CHECK(good(remove_container(client, created.id, {true, true}, kCall)));
}

// The end of a container is waited for, and its last words are read, with and without a terminal.
void check_last_words(const std::string& socket) {
  Client client = good(Client::open(socket, kCall));
  for (const bool tty : {false, true}) {
    ContainerConfig config{
        .name = "brief", .image = kImage, .cmd = {"sh", "-c", "for i in 1 2 3 4; do echo line $i >&2; done; exit 3"}};
    config.network_mode = "none";
    config.tty = tty;
    const Created created = good(create_container(client, config, kCall));
    good(start_container(client, created.id, kCall));
    Waiter ended = good(Waiter::open(client, created.id, WaitCondition::not_running, kCall));
    CHECK(good(ended.wait(kCall)).status == 3);
    const auto lines = good(last_lines(client, created.id, 2, tty, kCall));
    CHECK(lines == std::vector<std::string>{"line 3", "line 4"});
    // The whole of it, as a stream, which ends since the container has.
    std::string out;
    std::string err;
    const LogSink sink = [&](LogOutput output, std::string_view piece) -> Result<void> {
      (output == LogOutput::out ? out : err) += piece;
      return {};
    };
    good(read_log(client, created.id, tty, {.since = std::chrono::hours(1), .follow = true}, sink, kCall));
    CHECK(out == (tty ? "line 1\r\nline 2\r\nline 3\r\nline 4\r\n" : ""));
    CHECK(err == (tty ? "" : "line 1\nline 2\nline 3\nline 4\n"));
    CHECK(good(remove_container(client, created.id, {true, true}, kCall)));
  }
}

}  // namespace

TEST_CASE("contract: the fake engine") {
  const FakeEngine engine(absent_script());
  check_absent(engine.socket());
  CHECK(engine.problems().empty());
}

TEST_CASE("contract: Docker") {
  Engine engine(EngineKind::docker);
  good(engine.start());
  check_absent(engine.socket());
  check_life(engine.socket());
  check_self_removal(engine.socket());
  check_default_grace(engine.socket());
  check_last_words(engine.socket());
}

TEST_CASE("contract: Podman") {
  Engine engine(EngineKind::podman);
  good(engine.start());
  check_absent(engine.socket());
  check_life(engine.socket());
  check_self_removal(engine.socket());
  check_default_grace(engine.socket());
  check_last_words(engine.socket());
}
