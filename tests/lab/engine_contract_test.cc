// What plumb relies on of an engine, a case each, on the engine of the lab's n1: `ci/lab up --engine RELEASE/KIND`,
// then this program, says what of it an engine does not keep. Where engines differ, the case asks
// docker_client/manners.h.
#include <doctest/doctest.h>

#include "docker_client/container.h"
#include "docker_client/events.h"
#include "docker_client/image.h"
#include "docker_client/info.h"
#include "docker_client/log.h"
#include "docker_client/waiter.h"
#include "tests/docker_client/real.h"
#include "tests/lab/node.h"

namespace plumb::lab {
namespace {

using namespace plumb::docker;  // NOLINT(google-build-using-namespace)
using std::chrono::seconds;
using test::good;

const Call kCall{seconds(60), {}};
const std::string kPolite = "trap 'exit 7' TERM; echo ready; sleep 1000 & wait";
constexpr const char* kLabel = "plumb.service";

// The engine, and nothing of this test's left on it.
struct Stage {
  Node n1{"n1"};
  Client client = good(Client::open(n1.outside("/run/docker.sock"), kCall));

  Stage() { clear(); }
  ~Stage() { clear(); }
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;

  // Who joins another one is younger, and goes first.
  void clear() const {
    n1.run({"bash", "-c",
            "docker ps -aq --filter label=" + std::string(kLabel) + "=contract | xargs -r -n 1 docker rm -fv"});
  }
  [[nodiscard]] Container look(const std::string& id) { return *good(inspect_container(client, id, kCall)); }
  [[nodiscard]] bool is_there(const std::string& id) { return good(inspect_container(client, id, kCall)).has_value(); }
  std::string run(const ContainerConfig& config) {
    const std::string id = good(create_container(client, config, kCall)).id;
    good(start_container(client, id, kCall));
    return id;
  }
  // A signal that comes before the container's program has set its trap would not be caught.
  void await_ready(const std::string& id) {
    std::string said;
    const LogSink sink = [&](LogOutput, std::string_view piece) -> Result<void> {
      said += piece;
      if (said.find("ready") == std::string::npos) return {};
      return Err{ErrorKind::cancelled, "heard enough"};
    };
    REQUIRE_FALSE(read_log(client, id, false, {.follow = true}, sink, kCall));
  }
  [[nodiscard]] std::string network_of(const std::string& id) {
    return n1.must({"readlink", "/proc/" + std::to_string(look(id).pid) + "/ns/net"});
  }
};

ContainerConfig config_of(const std::string& name, const std::string& script = kPolite) {
  ContainerConfig config{.name = name, .image = "busybox", .cmd = {"sh", "-c", script}};
  config.labels = {{kLabel, "contract"}, {"plumb.resource", name}};
  config.network_mode = "none";
  return config;
}

ContainerConfig joining(const std::string& name, const std::string& id) {
  ContainerConfig config = config_of(name);
  config.network_mode = "container:" + id;
  return config;
}

bool refused(const Error& error) { return error.kind == ErrorKind::refused && !error.what.empty(); }

}  // namespace

TEST_CASE("engine: it speaks a version that plumb knows, and says its own") {
  Stage stage;
  CHECK(stage.client.version() >= kOldestApi);
  CHECK(stage.client.version() <= kNewestApi);
  const Version version = good(engine_version(stage.client, kCall));
  CHECK_FALSE(version.version.empty());
  MESSAGE("engine: " << version.version << ", API " << version.api_version);
}

TEST_CASE("engine: what is not there is 404, whatever is asked of it") {
  Stage stage;
  CHECK_FALSE(stage.is_there("absent"));
  CHECK_FALSE(good(inspect_image(stage.client, "plumb-test/absent:1", kCall)).has_value());
  CHECK(start_container(stage.client, "absent", kCall).error().kind == ErrorKind::not_found);
  CHECK(stop_container(stage.client, "absent", seconds(1), kCall).error().kind == ErrorKind::not_found);
  CHECK(stop_container(stage.client, "absent", std::nullopt, kCall).error().kind == ErrorKind::not_found);
  CHECK(kill_container(stage.client, "absent", "SIGTERM", kCall).error().kind == ErrorKind::not_found);
  CHECK(rename_container(stage.client, "absent", "other", kCall).error().kind == ErrorKind::not_found);
  CHECK_FALSE(good(remove_container(stage.client, "absent", {true, true}, kCall)));
  CHECK(good(good(Waiter::open(stage.client, "absent", WaitCondition::removed, kCall)).wait(kCall)).gone);
  ContainerConfig config = config_of("contract");
  config.image = "plumb-test/absent:1";
  CHECK(create_container(stage.client, config, kCall).error().kind == ErrorKind::not_found);
}

TEST_CASE("engine: inspect says of a container what it was made of, and what it does") {
  Stage stage;
  ContainerConfig config = config_of("contract");
  config.stop_timeout = seconds(3);
  config.auto_remove = true;
  const std::string id = good(create_container(stage.client, config, kCall)).id;
  const Container made = stage.look("contract");
  CHECK(made.id == id);
  CHECK(id.size() == 64);
  CHECK(made.name == "contract");
  CHECK(made.image.find("busybox") != std::string::npos);
  CHECK(made.image_id.find("sha256:") == 0);
  CHECK(made.labels.at(kLabel) == "contract");
  CHECK(made.state == "created");
  CHECK_FALSE(made.running);
  CHECK(made.pid == 0);
  CHECK(made.network_mode == "none");
  CHECK(made.auto_remove);
  CHECK_FALSE(made.tty);
  CHECK(made.stop_timeout == seconds(3));
  CHECK_FALSE(made.created.empty());
  good(start_container(stage.client, id, kCall));
  const Container runs = stage.look(id);
  CHECK(runs.state == "running");
  CHECK(runs.running);
  CHECK_FALSE(runs.paused);
  CHECK(runs.started_at > made.started_at);
  CHECK(stage.n1.run({"test", "-e", "/proc/" + std::to_string(runs.pid) + "/ns/net"}).exit_code == 0);
  CHECK(stage.network_of(id) != stage.n1.must({"readlink", "/proc/1/ns/net"}));
}

TEST_CASE("engine: a container that is paused runs, and is said to be paused") {
  Stage stage;
  const std::string id = stage.run(config_of("contract"));
  stage.n1.must({"docker", "pause", id});
  CHECK(stage.look(id).paused);
  CHECK(stage.look(id).running);
  const auto listed = good(list_containers(stage.client, {"plumb.service=contract"}, kCall));
  REQUIRE(listed.size() == 1);
  CHECK(listed[0].paused);
  stage.n1.must({"docker", "unpause", id});
  CHECK_FALSE(stage.look(id).paused);
}

TEST_CASE("engine: what is so already is no error") {
  Stage stage;
  const std::string id = stage.run(config_of("contract"));
  CHECK_FALSE(good(start_container(stage.client, id, kCall)));
  stage.await_ready(id);
  CHECK(good(stop_container(stage.client, id, seconds(20), kCall)));
  CHECK_FALSE(good(stop_container(stage.client, id, seconds(20), kCall)));
  CHECK_FALSE(good(kill_container(stage.client, id, "SIGKILL", kCall)));
  CHECK(good(remove_container(stage.client, id, {}, kCall)));
  CHECK_FALSE(good(remove_container(stage.client, id, {}, kCall)));
}

TEST_CASE("engine: what cannot be is refused, and nothing is changed") {
  Stage stage;
  const std::string id = stage.run(config_of("contract"));
  const auto removed = remove_container(stage.client, id, {}, kCall);
  REQUIRE_FALSE(removed);
  CHECK_MESSAGE(refused(removed.error()), removed.error().what);
  CHECK(stage.look(id).running);
  const auto killed = kill_container(stage.client, id, "SIGNONSENSE", kCall);
  REQUIRE_FALSE(killed);
  CHECK_MESSAGE(refused(killed.error()), killed.error().what);
  CHECK(stage.look(id).running);
}

TEST_CASE("engine: a name has one container, and the refusal names it") {
  Stage stage;
  const std::string id = good(create_container(stage.client, config_of("contract"), kCall)).id;
  const auto twice = create_container(stage.client, config_of("contract"), kCall);
  REQUIRE_FALSE(twice);
  CHECK(twice.error().kind == ErrorKind::exists);
  CHECK(name_holder(twice.error().what) == id);
  const std::string other = good(create_container(stage.client, config_of("contract-other"), kCall)).id;
  const auto renamed = rename_container(stage.client, other, "contract", kCall);
  REQUIRE_FALSE(renamed);
  CHECK_MESSAGE(renamed.error().kind == ErrorKind::exists, renamed.error().what);
  good(rename_container(stage.client, other, "contract-free", kCall));
  CHECK(stage.look("contract-free").id == other);
}

TEST_CASE("engine: a list has the containers that carry all labels, and no others") {
  Stage stage;
  const std::string pause = stage.run(config_of("contract"));
  const std::string other = good(create_container(stage.client, joining("contract-other", pause), kCall)).id;
  CHECK(good(list_containers(stage.client, {"plumb.service=contract"}, kCall)).size() == 2);
  const auto one = good(list_containers(stage.client, {"plumb.service=contract", "plumb.resource=contract"}, kCall));
  REQUIRE(one.size() == 1);
  CHECK(one[0].id == pause);
  CHECK(one[0].name == "contract");
  CHECK(one[0].running);
  CHECK(one[0].labels.at("plumb.resource") == "contract");
  const auto two = good(list_containers(stage.client, {kLabel, "plumb.resource=contract-other"}, kCall));
  REQUIRE(two.size() == 1);
  CHECK(two[0].state == "created");
  CHECK_FALSE(two[0].running);
  CHECK(good(list_containers(stage.client, {"plumb.service=contract", "plumb.resource=none"}, kCall)).empty());
}

TEST_CASE("engine: who joins a container is in its network, and cannot start without it") {
  Stage stage;
  const std::string pause = stage.run(config_of("contract"));
  const std::string sibling = stage.run(joining("contract-sibling", pause));
  CHECK(stage.look(sibling).network_mode == "container:" + pause);
  CHECK(stage.network_of(sibling) == stage.network_of(pause));
  good(stop_container(stage.client, sibling, seconds(20), kCall));
  good(stop_container(stage.client, pause, seconds(20), kCall));
  if (!stage.client.manners().keeps_joined) {  // else it is started with it
    const auto alone = start_container(stage.client, sibling, kCall);
    REQUIRE_FALSE(alone);
    CHECK_MESSAGE(refused(alone.error()), alone.error().what);
    CHECK_FALSE(stage.look(sibling).running);
  }
}

TEST_CASE("engine: a container with auto-remove is gone when it has ended, by itself or by a stop") {
  Stage stage;
  for (const bool by_itself : {true, false}) {
    ContainerConfig config = config_of("contract", by_itself ? "exit 3" : kPolite);
    config.auto_remove = true;
    const std::string id = good(create_container(stage.client, config, kCall)).id;
    Waiter removed = good(Waiter::open(stage.client, id, WaitCondition::removed, kCall));
    good(start_container(stage.client, id, kCall));
    if (!by_itself) CHECK(good(stop_container(stage.client, id, seconds(20), kCall)));
    static_cast<void>(good(removed.wait(kCall)));
    CHECK_FALSE(stage.is_there(id));
  }
}

TEST_CASE("engine: a container with auto-remove is stopped also where another one joins it, and goes when it may") {
  Stage stage;
  ContainerConfig config = config_of("contract");
  config.auto_remove = true;
  const std::string pause = stage.run(config);
  const std::string sibling = stage.run(joining("contract-sibling", pause));
  stage.await_ready(sibling);
  CHECK(good(stop_container(stage.client, sibling, seconds(20), kCall)));
  stage.await_ready(pause);
  CHECK(good(stop_container(stage.client, pause, seconds(20), kCall)));
  const auto now = good(inspect_container(stage.client, pause, kCall));
  if (now) CHECK_FALSE(now->running);
  if (stage.client.manners().keeps_joined) {
    REQUIRE(now);
    CHECK(now->state == "exited");
    CHECK_FALSE(remove_container(stage.client, pause, {}, kCall));  // as long as the other one is there
    CHECK(stage.is_there(sibling));
    CHECK(good(remove_container(stage.client, sibling, {}, kCall)));
    static_cast<void>(good(remove_container(stage.client, pause, {}, kCall)));
  } else {
    Waiter removed = good(Waiter::open(stage.client, pause, WaitCondition::removed, kCall));
    static_cast<void>(good(removed.wait(kCall)));
  }
  CHECK_FALSE(stage.is_there(pause));
}

TEST_CASE("engine: an exit has its code, for who waits and for who looks later") {
  Stage stage;
  const std::string id = stage.run(config_of("contract"));
  Waiter waiter = good(Waiter::open(stage.client, id, WaitCondition::not_running, kCall));
  CHECK(waiter.wait({std::chrono::milliseconds(20), {}}).error().kind == ErrorKind::timeout);
  stage.await_ready(id);
  CHECK(good(stop_container(stage.client, id, std::nullopt, kCall)));  // who says no grace gets one
  CHECK(good(waiter.wait(kCall)).status == 7);
  CHECK(stage.look(id).exit_code == 7);
  CHECK(stage.look(id).state == "exited");
  CHECK(stage.look(id).pid == 0);
}

TEST_CASE("engine: who ignores that it is to stop is killed after its grace") {
  Stage stage;
  const std::string id = stage.run(config_of("contract", "trap '' TERM; echo ready; while :; do sleep 1; done"));
  stage.await_ready(id);
  CHECK(good(stop_container(stage.client, id, seconds(1), kCall)));
  CHECK(stage.look(id).exit_code == 137);
}

TEST_CASE("engine: a start that fails says why, and leaves a container that does not run, or none") {
  Stage stage;
  for (const bool auto_remove : {false, true}) {
    ContainerConfig config = config_of("contract");
    config.cmd = {"/no/such/program"};
    config.auto_remove = auto_remove;
    const std::string id = good(create_container(stage.client, config, kCall)).id;
    const auto started = start_container(stage.client, id, kCall);
    REQUIRE_FALSE(started);
    CHECK_MESSAGE(started.error().what.find("/no/such/program") != std::string::npos, started.error().what);
    const auto now = good(inspect_container(stage.client, id, kCall));
    if (now) CHECK_FALSE(now->running);
    static_cast<void>(good(remove_container(stage.client, id, {true, true}, kCall)));
  }
}

TEST_CASE("engine: events tell what becomes of the containers of a label, with the label and the exit code") {
  Stage stage;
  EventStream events = good(EventStream::open(
      stage.client, {{"container"}, {kLabel}, 0, {"start", "die", "destroy", "pause", "unpause", "rename"}}, kCall));
  ContainerConfig foreign = config_of("contract-foreign", "exit 0");
  foreign.labels = {{"other", "contract"}};
  foreign.auto_remove = true;
  stage.run(foreign);
  const std::string id = stage.run(config_of("contract"));
  stage.await_ready(id);
  stage.n1.must({"docker", "pause", id});
  stage.n1.must({"docker", "unpause", id});
  good(rename_container(stage.client, id, "contract-new", kCall));
  good(stop_container(stage.client, id, seconds(20), kCall));
  good(remove_container(stage.client, id, {}, kCall));
  std::string told;
  while (told.find("destroy") == std::string::npos) {
    const Event event = good(events.next(kCall));
    if (event.id != id) {
      CHECK(stage.client.manners().filters_events_badly);
      continue;
    }
    CHECK(event.attributes.at(kLabel) == "contract");
    for (const char* known : {"start", "pause", "unpause", "rename", "die", "destroy"})
      if (event.action == known) told += event.action + " ";
    if (event.action == "die") CHECK(event.attributes.at("exitCode") == "7");
  }
  CHECK(told == "start pause unpause rename die destroy ");
}

TEST_CASE("engine: a log has both outputs apart, its end, its times, and no frames where there is a terminal") {
  Stage stage;
  for (const bool tty : {false, true}) {
    ContainerConfig config =
        config_of("contract", "echo one; echo two; for i in 1 2 3; do echo line $i >&2; done; exit 3");
    config.tty = tty;
    const std::string id = stage.run(config);
    CHECK(good(good(Waiter::open(stage.client, id, WaitCondition::not_running, kCall)).wait(kCall)).status == 3);
    std::string out;
    std::string err;
    const LogSink sink = [&](LogOutput output, std::string_view piece) -> Result<void> {
      (output == LogOutput::out ? out : err) += piece;
      return {};
    };
    good(read_log(stage.client, id, tty, {.since = std::chrono::hours(1), .follow = true}, sink, kCall));
    CHECK(out == (tty ? "one\r\ntwo\r\nline 1\r\nline 2\r\nline 3\r\n" : "one\ntwo\n"));
    CHECK(err == (tty ? "" : "line 1\nline 2\nline 3\n"));
    // Which of two outputs was first is not known to everybody.
    CHECK(good(last_lines(stage.client, id, 5, tty, kCall)).size() == 5);
    CHECK(good(last_lines(stage.client, id, 2, tty, kCall)).size() == 2);
    out.clear();
    err.clear();
    good(read_log(stage.client, id, tty, {.tail = 1, .timestamps = true}, sink, kCall));
    const std::string last = out + err;
    CHECK_MESSAGE(last.substr(0, 2) == "20", last);
    CHECK_MESSAGE(last.find('T') < last.find(' '), last);
    CHECK_MESSAGE(last.find('\n') == last.size() - 1, last);
    CHECK(good(remove_container(stage.client, id, {}, kCall)));
  }
}

TEST_CASE("engine: volumes that nobody named are told, and go only where that is asked for") {
  Stage stage;
  for (const bool volumes : {false, true}) {
    stage.n1.must({"docker", "create", "--name", "contract", "--label", "plumb.service=contract", "--network", "none",
                   "-v", "/data", "-v", "contract-named:/named", "busybox", "true"});
    const Container made = stage.look("contract");
    REQUIRE(made.anonymous_volumes.size() == 1);
    const AnonymousVolume& volume = made.anonymous_volumes.front();
    CHECK(volume.target == "/data");
    CHECK_FALSE(volume.read_only);
    CHECK(good(remove_container(stage.client, made.id, {true, volumes}, kCall)));
    CHECK(stage.n1.run({"docker", "volume", "inspect", "contract-named"}).exit_code == 0);
    CHECK((stage.n1.run({"docker", "volume", "inspect", volume.name}).exit_code == 0) == !volumes);
    stage.n1.run({"docker", "volume", "rm", volume.name, "contract-named"});
  }
}

TEST_CASE("engine: what a pause and its siblings are made with is taken") {
  Stage stage;
  ContainerConfig config = config_of("contract");
  config.hostname = "box";
  config.init = true;
  config.cap_drop = {"ALL"};
  config.security_opt = {"no-new-privileges"};
  config.readonly_rootfs = true;
  config.sysctls = {{"net.ipv4.ip_unprivileged_port_start", "80"}};
  config.tmpfs = {{"/tmp", "size=1m"}};
  config.ulimits = {{"nofile", 64, 128}, {"nproc", 512, 1024}};
  config.mounts = {{.source = "/srv", .target = "/srv", .read_only = true, .propagation = {}}};
  config.health = HealthCheck{.none = true};
  config.env = {{"NAME", "va=l\"ue"}};
  const std::string id = stage.run(config);
  const std::string pid = std::to_string(stage.look(id).pid);
  const std::string port = "/proc/sys/net/ipv4/ip_unprivileged_port_start";
  CHECK(stage.n1.must({"nsenter", "-t", pid, "-n", "cat", port}) == "80\n");
  CHECK(stage.n1.must({"docker", "exec", id, "hostname"}) == "box\n");
}

TEST_CASE("engine: a mount without its source is refused, and no folder is made for it") {
  Stage stage;
  ContainerConfig config = config_of("contract");
  config.mounts = {{.source = "/srv/contract/absent", .target = "/srv", .read_only = false, .propagation = {}}};
  const auto created = create_container(stage.client, config, kCall);
  const auto started = created ? start_container(stage.client, created->id, kCall) : Result<bool>(Err{created.error()});
  REQUIRE_FALSE(started);
  CHECK_MESSAGE(started.error().what.find("/srv/contract/absent") != std::string::npos, started.error().what);
  CHECK(stage.n1.run({"test", "-e", "/srv/contract"}).exit_code == 1);
}

TEST_CASE("engine: images are pulled, and what a registry lacks is not found") {
  Stage stage;
  const Image image = good(pull_image(stage.client, "busybox", std::nullopt, {}, kCall));
  CHECK(image.id.find("sha256:") == 0);
  CHECK(good(inspect_image(stage.client, "busybox", kCall)).has_value());
  const auto absent = pull_image(stage.client, "busybox:absent", std::nullopt, {}, kCall);
  REQUIRE_FALSE(absent);
  CHECK_MESSAGE(absent.error().kind == ErrorKind::not_found, absent.error().what);
}

}  // namespace plumb::lab
