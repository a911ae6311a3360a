// The engine is killed or ended, with and without live-restore, the driver meanwhile, or the whole node's /run is lost:
// what runs keeps its address, what has a restart policy comes back with it, and all who keep books agree.
#include <doctest/doctest.h>
#include <poll.h>

#include <algorithm>
#include <optional>
#include <thread>

#include "tests/lab/driver/faults.h"

namespace plumb::lab {
namespace {

using namespace std::chrono_literals;

const std::string kPlain = "10.0.3.33";
const std::string kAlways = "10.0.3.34";

// A node's engine with a configuration of its own, a driver whose socket lasts, a network, and two containers on it:
// `plain`, and `always`, which has a restart policy.
class Rig {
 public:
  explicit Rig(bool live_restore) : live(live_restore) {
    if (live) configure("{\"live-restore\": true}");
    start_driver();
    network.emplace(node, "faults");
    node.must(network->run("plain", kPlain));
    node.must(network->run("always", kAlways, {"--restart=always"}));
    CHECK(reaches(kPlain, "plain"));
    CHECK(reaches(kAlways, "always"));
    CHECK(agree(node) == "");
  }
  ~Rig() {
    if (!driver) start_driver();
    lab({"engine", "n1", "start"});
    network.reset();
    if (live) configure("{}");
  }
  Rig(const Rig&) = delete;
  Rig& operator=(const Rig&) = delete;

  void configure(const std::string& engine) const {
    lab({"engine", "n1", "stop"});
    node.write("/etc/docker/daemon.json", engine);
    lab({"engine", "n1", "start"});
  }
  void start_driver() {
    driver.reset();
    driver.emplace(node, DriverHow{&*socket, {}, kDriverState});
  }
  [[nodiscard]] std::string running(const std::string& container) const {
    return inspect(node, container, "{{.State.Running}}");
  }
  [[nodiscard]] std::string address(const std::string& container) const {
    return inspect(node, container, "{{(index .NetworkSettings.Networks \"faults\").IPAddress}}");
  }
  [[nodiscard]] std::string pid(const std::string& container) const {
    return inspect(node, container, "{{.State.Pid}}");
  }
  // `always` is back, with its address; `plain` is not, its address is free, and it can be started again.
  void check_started_anew() const {
    CHECK(becomes([&] { return running("always") == "true"; }, 10s));
    CHECK(address("always") == kAlways);
    CHECK(reaches(kAlways, "always"));
    CHECK(running("plain") == "false");
    CHECK(agree(node) == "");
    const Outcome other = node.run(network->run("other", kPlain));
    CAPTURE(other.err);
    CHECK(other.exit_code == 0);
    CHECK(reaches(kPlain, "other"));
    CHECK(node.run({"docker", "rm", "-f", "other"}).exit_code == 0);
    const Outcome again = node.run({"docker", "start", "plain"});
    CAPTURE(again.err);
    CHECK(again.exit_code == 0);
    CHECK(reaches(kPlain, "plain"));
    CHECK(agree(node) == "");
  }
  void check_kept(const std::string& plain, const std::string& always) const {
    CHECK(pid("plain") == plain);
    CHECK(pid("always") == always);
    CHECK(reaches(kPlain, "plain"));
    CHECK(reaches(kAlways, "always"));
    CHECK(agree(node) == "");
  }

  bool live;
  Node node{"n1"};
  std::optional<LastingSocket> socket{std::in_place, node};
  std::optional<Driver> driver;
  std::optional<EngineNetwork> network;
};

void end_engine(const std::string& how, bool driver_too) {
  Rig rig(false);
  lab({"engine", "n1", how});
  if (driver_too) {
    rig.driver->end(how == "kill" ? SIGKILL : SIGTERM);
    rig.start_driver();
  }
  lab({"engine", "n1", "start"});
  rig.check_started_anew();
}

TEST_CASE("the engine is killed, and the driver lives") { end_engine("kill", false); }
TEST_CASE("the engine is killed, and the driver, too") { end_engine("kill", true); }
TEST_CASE("the engine is stopped, and the driver lives") { end_engine("stop", false); }
TEST_CASE("the engine is stopped, and the driver, too") { end_engine("stop", true); }

void end_live_engine(const std::string& how) {
  Rig rig(true);
  const std::string plain = rig.pid("plain");
  const std::string always = rig.pid("always");
  lab({"engine", "n1", how});
  CHECK(reaches(kPlain, "plain"));
  CHECK(reaches(kAlways, "always"));
  rig.driver->end(how == "kill" ? SIGKILL : SIGTERM);
  CHECK(reaches(kPlain, "plain"));
  rig.start_driver();
  lab({"engine", "n1", "start"});
  rig.check_kept(plain, always);
  // The driver still knows them by the ids that the engine calls them.
  CHECK(rig.node.run(rig.network->run("other", kPlain)).exit_code != 0);
  CHECK(rig.node.run({"docker", "rm", "-f", "plain", "other"}).exit_code == 0);
  CHECK(agree(rig.node) == "");
  CHECK(rig.node.run(rig.network->run("other", kPlain)).exit_code == 0);
  CHECK(reaches(kPlain, "other"));
}

TEST_CASE("live-restore: the engine is killed, the driver, too, and no container notices") { end_live_engine("kill"); }
TEST_CASE("live-restore: the engine is stopped, the driver, too, and no container notices") { end_live_engine("stop"); }

TEST_CASE("the driver alone is killed, is ended, and starts again: no container notices, and the next one starts") {
  Rig rig(false);
  const std::string plain = rig.pid("plain");
  const std::string always = rig.pid("always");
  for (const int signal : {SIGKILL, SIGTERM}) {
    CHECK(rig.driver->end(signal).exit_code == (signal == SIGKILL ? 128 + SIGKILL : exit_ok));
    CHECK(reaches(kPlain, "plain"));
    rig.start_driver();
    rig.check_kept(plain, always);
  }
  CHECK(rig.node.run({"docker", "restart", "-t", "0", "always"}).exit_code == 0);
  CHECK(reaches(kAlways, "always"));
  CHECK(agree(rig.node) == "");
}

TEST_CASE("an engine that starts before the driver waits for it at the socket") {
  Rig rig(false);
  lab({"engine", "n1", "stop"});
  rig.driver->end(SIGTERM);
  {
    const std::jthread engine([] { lab({"engine", "n1", "start"}); });
    // A connection that nobody accepts: the engine has asked.
    pollfd asked{rig.socket->fd(), POLLIN, 0};
    CHECK(::poll(&asked, 1, 30'000) == 1);
    // And goes on waiting.
    CHECK(::poll(nullptr, 0, 3000) == 0);
    rig.start_driver();
  }
  rig.check_started_anew();
}

TEST_CASE("as after a power cut: processes, links and /run are gone, the disks are there") {
  Rig rig(false);
  const auto before = records(rig.node);
  const std::string pids =
      rig.node.must({"bash", "-c",
                     "read -r containerd </run/docker/containerd/containerd.pid; echo $containerd; for "
                     "pid in $(docker ps -q | xargs docker inspect -f '{{.State.Pid}}'); do awk "
                     "'/^PPid/{print $2}' /proc/$pid/status; echo $pid; done"});
  lab({"engine", "n1", "kill"});
  rig.driver->end(SIGKILL);
  rig.socket.reset();
  Words kill{"bash", "-c", "kill -9 $1; for p in $1; do while kill -0 $p; do :; done; done 2>/dev/null; :", "kill",
             pids};
  rig.node.must(kill);
  rig.node.must({"bash", "-c",
                 "awk '$5 ~ \"^/run/docker/\" {print $5}' /proc/self/mountinfo | sort -r | xargs -r umount -l && "
                 "rm -rf /run/docker /run/docker.sock /run/docker.pid"});
  CHECK_FALSE(reaches(kPlain, "plain"));
  CHECK(records(rig.node) == before);
  rig.socket.emplace(rig.node);
  rig.start_driver();
  // Of both, which nothing has survived, by the driver alone.
  const auto after = records(rig.node);
  CHECK(std::none_of(after.begin(), after.end(),
                     [](const std::string& record) { return record.starts_with("endpoints/"); }));
  lab({"engine", "n1", "start"});
  rig.check_started_anew();
}

}  // namespace
}  // namespace plumb::lab
