// The watcher: what is started stays true without an operator, and what is stopped stays down.
#include <doctest/doctest.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>

#include "tests/lab/capture.h"
#include "tests/lab/service.h"

namespace plumb::lab {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

const std::string kAddress = "10.0.3.3";
constexpr auto kSoon = 30s;  // a busy machine is no failure

// `plumb watch` on a node. Its log comes on its standard output.
class Watch {
 public:
  explicit Watch(const Node& node, const std::string& options = {})
      : running_(node.start({"bash", "-c", "exec " + program() + " watch " + options + " 2>&1"})) {
    REQUIRE(says("ready"));
  }
  // It says so, after the last forget().
  bool says(std::string_view text, std::chrono::milliseconds deadline = kSoon) {
    return running_.await_output(text, deadline);
  }
  void forget() { running_.forget_output(); }
  [[nodiscard]] const std::string& log() const { return running_.output(); }
  [[nodiscard]] pid_t pid() const { return running_.pid(); }
  Outcome end() {
    running_.signal(SIGTERM);
    return running_.wait(10s);
  }

 private:
  Running running_;
};

std::string pid_of(const Node& node, const std::string& container) {
  std::string pid = node.must({"docker", "inspect", "-f", "{{.State.Pid}}", container});
  pid.pop_back();
  return pid;
}

// nginx answers, or is about to: a container runs before its program listens.
bool answers_at_last() {
  const auto got = Node("client").run(
      {"curl", "-s", "--retry", "5", "--retry-connrefused", "--max-time", "10", "http://" + kAddress + "/"});
  return got.exit_code == 0 && got.out.find("Welcome to nginx!") != std::string::npos;
}

// The network namespace of a container, by its inode.
std::string namespace_of(const Node& node, const std::string& container) {
  return node.must({"readlink", "/proc/" + pid_of(node, container) + "/ns/net"});
}

std::string ms(std::chrono::nanoseconds time) {
  return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(time).count()) + " ms";
}

TEST_CASE("the pause is killed: address and siblings are there again without an operator, in one new namespace") {
  const Node n1("n1");
  const Service web("web", shared_engine_spec());
  REQUIRE(web.plumb(n1, "start").exit_code == 0);
  // What an operator would do, for comparison.
  n1.must({"docker", "kill", "web.container.0"});
  const Outcome by_hand = web.plumb(n1, "start");
  REQUIRE(by_hand.exit_code == 0);

  Watch watch(n1);
  const std::string before = namespace_of(n1, "web.container.0");
  watch.forget();
  const auto begin = Clock::now();
  n1.must({"docker", "kill", "web.container.0"});
  const auto killed = Clock::now();
  REQUIRE_MESSAGE(watch.says("up again"), watch.log());
  const auto healed = Clock::now();
  CHECK(answers_at_last());
  MESSAGE("up again " << ms(healed - begin) << " after the kill began, " << ms(healed - killed)
                      << " after it was done; plumb start takes " << ms(by_hand.took));
  CHECK(healed - killed < by_hand.took + 2s);
  CHECK(namespace_of(n1, "web.container.0") != before);
  CHECK(namespace_of(n1, "web.container.1") == namespace_of(n1, "web.container.0"));
  CHECK(web.plumb(n1, "status").exit_code == 0);
  CHECK(watch.log().find("start container web.container.1") != std::string::npos);
  CHECK(watch.end().exit_code == 0);
}

TEST_CASE("a pause that somebody restarts is plumbed again, with its siblings in it") {
  const Node n1("n1");
  // One with rm and one that is kept: the engine starts the same container again.
  for (const std::string rm : {"rm = true", "rm = false"}) {
    CAPTURE(rm);
    const Service web("web", edited(shared_engine_spec(), "rm = true", rm));
    const Outcome start = web.plumb(n1, "start");
    CAPTURE(start.err);
    REQUIRE(start.exit_code == 0);
    Watch watch(n1);
    watch.forget();
    n1.must({"docker", "restart", "-t", "0", "web.container.0"});
    REQUIRE_MESSAGE(watch.says("up again"), watch.log());
    watch.forget();
    watch.says("up again", 1500ms);  // the engine's own start may have come after ours
    CHECK(answers_at_last());
    CHECK(namespace_of(n1, "web.container.1") == namespace_of(n1, "web.container.0"));
    CHECK(web.plumb(n1, "status").exit_code == 0);
  }
}

TEST_CASE("a second watcher on a node is refused") {
  const Node n1("n1");
  const Watch watch(n1);
  const Outcome second = n1.run({program(), "watch"});
  CHECK(second.exit_code == 1);
  CHECK_MESSAGE(second.err.find("another plumb watch runs on this node") != std::string::npos, second.err);
}

TEST_CASE("what was damaged before the watcher came is healed, what is stopped stays down") {
  const Node n1("n1");
  const Service web("web", shared_engine_spec());
  REQUIRE(web.plumb(n1, "start").exit_code == 0);
  n1.must({"docker", "kill", "web.container.0"});
  Watch watch(n1);
  REQUIRE_MESSAGE(watch.says("up again"), watch.log());
  CHECK(answers_at_last());
  watch.forget();
  CHECK(web.plumb(n1, "stop").exit_code == 0);
  CHECK_FALSE(answers(kAddress));
  CHECK_FALSE(watch.says("healing", 1500ms));
  CHECK(n1.must({"docker", "ps", "-q"}).empty());
  // A start is heard of without another word.
  REQUIRE(web.plumb(n1, "start").exit_code == 0);
  n1.must({"docker", "kill", "web.container.0"});
  CHECK(watch.says("up again"));
  CHECK(answers_at_last());
}

TEST_CASE("a start that failed leaves nothing to be watched") {
  const Node n1("n1");
  {
    const Service web("web", edited(shared_engine_spec(), "image = nginx", "image = nginx:none"));
    CHECK(web.plumb(n1, "start").exit_code != 0);
    CHECK(n1.run({"test", "-e", "/run/plumb/web.started"}).exit_code != 0);
  }
  const Service web("web", shared_engine_spec());
  REQUIRE(web.plumb(n1, "start").exit_code == 0);
  CHECK(n1.run({"test", "-e", "/run/plumb/web.started"}).exit_code == 0);
  REQUIRE(web.plumb(n1, "stop").exit_code == 0);
  CHECK(n1.run({"test", "-e", "/run/plumb/web.started"}).exit_code != 0);
}

TEST_CASE("an address, a route, a link that somebody takes away: put back, and then it is quiet") {
  const Node n1("n1");
  const Service web("web", shared_engine_spec());
  REQUIRE(web.plumb(n1, "start").exit_code == 0);
  Watch watch(n1);
  for (const Words& damage :
       {Words{"ip", "address", "del", "10.0.3.3/24", "dev", "eth0"}, Words{"ip", "route", "del", "default"},
        Words{"ip", "link", "set", "eth0", "down"}, Words{"ip", "link", "del", "eth0"}}) {
    CAPTURE(damage[1]);
    watch.forget();
    Words inside{program(), "enter", "web", "--"};
    inside.insert(inside.end(), damage.begin(), damage.end());
    n1.must(inside);
    REQUIRE_MESSAGE(watch.says("up again"), watch.log());
    CHECK(answers_at_last());
    CHECK(web.plumb(n1, "status").exit_code == 0);
    watch.forget();
    CHECK_FALSE_MESSAGE(watch.says("healing", 500ms), watch.log());
  }
}

TEST_CASE("an address of the node itself is put back") {
  const Node n1("n1");
  const Service host("host", "[ip#0]\nipname = 10.0.3.21\nipdev = eth0\nnetmask = 24\n");
  REQUIRE(host.plumb(n1, "start").exit_code == 0);
  Watch watch(n1);
  watch.forget();
  n1.must({"ip", "address", "del", "10.0.3.21/24", "dev", "eth0"});
  CHECK_MESSAGE(watch.says("up again"), watch.log());
  CHECK(Node("client").run({"ping", "-c1", "-W2", "10.0.3.21"}).exit_code == 0);
  REQUIRE(host.plumb(n1, "stop").exit_code == 0);
  watch.forget();
  n1.must({"ip", "address", "add", "10.0.3.21/24", "dev", "eth0"});
  n1.must({"ip", "address", "del", "10.0.3.21/24", "dev", "eth0"});
  CHECK_FALSE(watch.says("healing", 1s));
}

TEST_CASE("a sibling that dies is restarted as often as it may be, later each time, and then left down") {
  const Node n1("n1");
  const Service web("web", edited(shared_engine_spec(), "image = nginx", "image = nginx\nrestart = 2"));
  REQUIRE(web.plumb(n1, "start").exit_code == 0);
  const std::string pause = pid_of(n1, "web.container.0");
  Watch watch(n1);
  for (const char* restart : {"restart 1 of 2 in 1 s", "restart 2 of 2 in 2 s"}) {
    watch.forget();
    n1.must({"docker", "kill", "web.container.1"});
    CHECK_MESSAGE(watch.says(restart), watch.log());
    REQUIRE_MESSAGE(watch.says("up again"), watch.log());
    CHECK(answers_at_last());
  }
  watch.forget();
  n1.must({"docker", "kill", "web.container.1"});
  CHECK_MESSAGE(watch.says("ended with exit code 137 and is left down after 2 restarts"), watch.log());
  CHECK(pid_of(n1, "web.container.0") == pause);
  // A heal of something else leaves it alone, too, and does not say it again.
  watch.forget();
  n1.must({program(), "enter", "web", "--", "ip", "route", "del", "default"});
  CHECK_MESSAGE(watch.says("up again"), watch.log());
  CHECK(watch.log().find("container#1") == std::string::npos);
  CHECK_FALSE(answers(kAddress));
  // An operator's start ends that.
  CHECK(web.plumb(n1, "start").exit_code == 0);
  CHECK(answers_at_last());
}

TEST_CASE("siblings come back with their pause even when they are not to be restarted alone") {
  const Node n1("n1");
  const Service web("web", shared_engine_spec());
  REQUIRE(web.plumb(n1, "start").exit_code == 0);
  Watch watch(n1);
  watch.forget();
  n1.must({"docker", "kill", "web.container.1"});
  CHECK_MESSAGE(watch.says("is left down (restart = 0)"), watch.log());
  watch.forget();
  n1.must({"docker", "kill", "web.container.0"});
  CHECK_MESSAGE(watch.says("up again"), watch.log());
  CHECK(answers_at_last());
}

TEST_CASE("the engine is killed or stopped, and comes back: all is as it was") {
  const Node n1("n1");
  const Service web("web", shared_engine_spec());
  REQUIRE(web.plumb(n1, "start").exit_code == 0);
  Watch watch(n1);
  for (const std::string how : {"kill", "stop"}) {
    CAPTURE(how);
    watch.forget();
    lab({"engine", "n1", how});
    CHECK_MESSAGE(watch.says("is gone"), watch.log());
    lab({"engine", "n1", "start"});
    CHECK_MESSAGE(watch.says("answers again"), watch.log());
    REQUIRE_MESSAGE(watch.says("up again"), watch.log());
    CHECK(answers_at_last());
    CHECK(web.plumb(n1, "status").exit_code == 0);
  }
  // It listens to the new engine.
  watch.forget();
  n1.must({"docker", "kill", "web.container.0"});
  CHECK_MESSAGE(watch.says("up again"), watch.log());
}

TEST_CASE("a service's own engine is killed: started again with all that was in it") {
  const Node n1("n1");
  const Service svc1("svc1", reference_spec());
  const State before = svc1.state(n1);
  REQUIRE(svc1.plumb(n1, "start").exit_code == 0);
  {
    Watch watch(n1);
    for (int i = 0; i < 2; ++i) {  // the second time it is the watcher's own child
      CAPTURE(i);
      watch.forget();
      n1.must({"bash", "-c", "read -r pid _ </run/plumb/svc1/engine.pid && kill -9 $pid"});
      REQUIRE_MESSAGE(watch.says("up again"), watch.log());
      CHECK(answers_at_last());
    }
    CHECK(svc1.plumb(n1, "stop").exit_code == 0);
  }
  svc1.plumb(n1, "start");
  svc1.plumb(n1, "stop");
  CHECK(difference(before, svc1.state(n1)) == "");
}

TEST_CASE("the carrier of the uplink returns: the address is announced") {
  const Node n1("n1");
  const Service web("web", shared_engine_spec());
  REQUIRE(web.plumb(n1, "start").exit_code == 0);
  Watch watch(n1);
  lab({"cut", "n1"});
  CHECK_MESSAGE(watch.says("has no carrier"), watch.log());
  Capture wire(Node("client"), "eth0");
  lab({"mend", "n1"});
  CHECK_MESSAGE(watch.says("eth0 has its carrier again: announcing 10.0.3.3"), watch.log());
  CHECK(wire.await([](const Frame& f) { return f.arp() && f.arp()->claims(kAddress) && f.arp()->operation == 1; }, 5s));
  CHECK(wire.await([](const Frame& f) { return f.arp() && f.arp()->claims(kAddress) && f.arp()->operation == 2; }, 5s));
  CHECK(answers_at_last());
}

TEST_CASE("a rival is named, the address is kept and defended, at most once in ten seconds, and announced at last") {
  const Node n1("n1");
  const Service web("web", shared_engine_spec());
  REQUIRE(web.plumb(n1, "start").exit_code == 0);
  Watch watch(n1);
  Capture wire(Node("client"), "eth0");
  // The start's own announcements are over.
  wire.await([](const Frame&) { return false; }, 2500ms);
  std::string mac = lab({"rival", kAddress});
  mac.resize(17);
  const auto claims = [&] {
    std::size_t ours = 0;
    for (const auto& frame : wire.frames())
      if (frame.arp() && frame.arp()->claims(kAddress) && frame.arp()->operation == 2 &&
          frame.arp()->sender_mac != mac && frame.arp()->target_ip == kAddress)
        ++ours;
    return ours;
  };
  const auto before = claims();
  // Each asks for an address of which it does not know the MAC, as somebody who has 10.0.3.3.
  for (const char* target : {"10.0.3.12", "10.0.3.13", "10.0.3.100"}) Node("rival").run({"ping", "-c1", "-W1", target});
  CHECK_MESSAGE(watch.says("10.0.3.3 is claimed by " + mac), watch.log());
  CHECK_FALSE(watch.says("nothing like that", 1s));
  CHECK(claims() == before + 1);
  lab({"rival", "--gone"});
  CHECK(web.plumb(n1, "status").exit_code == 0);
  CHECK_MESSAGE(watch.says(mac + " has not claimed 10.0.3.3 for 30 s", 40s), watch.log());
  CHECK_FALSE(watch.says("nothing like that", 500ms));
  CHECK(claims() >= before + 2);
  CHECK(answers_at_last());
}

TEST_CASE("a verb waits for the watcher, and says for whom") {
  const Node n1("n1");
  // It ignores SIGTERM: to stop it takes its stop_timeout.
  std::string spec = edited(shared_engine_spec(), "image = nginx",
                            "image = busybox\ncommand = sh -c \"trap '' TERM; sleep 1000\"\nstop_timeout = 3s");
  const Service slow("slow", spec);
  const Outcome start = slow.plumb(n1, "start");
  CAPTURE(start.err);
  REQUIRE(start.exit_code == 0);
  Watch watch(n1);
  n1.must({"docker", "kill", "slow.container.0"});
  REQUIRE_MESSAGE(watch.says("healing"), watch.log());
  const Outcome stop = slow.plumb(n1, "stop");
  CHECK(stop.exit_code == 0);
  CHECK_MESSAGE(stop.err.find("waiting for plumb watch (pid ") != std::string::npos, stop.err);
  watch.forget();
  CHECK_FALSE(watch.says("healing", 1500ms));
  CHECK(slow.plumb(n1, "status").exit_code == 3);
}

// Of all its threads.
long wakeups(const Watch& watch) {
  long sum = 0;
  for (const auto& task : std::filesystem::directory_iterator("/proc/" + std::to_string(watch.pid()) + "/task")) {
#ifdef __SANITIZE_THREAD__
    if (task.path().filename() != std::to_string(watch.pid())) continue;  // the sanitizer has a thread of its own
#endif
    std::ifstream status(task.path() / "status");
    for (std::string line; std::getline(status, line);)
      if (line.starts_with("voluntary_ctxt_switches:")) sum += std::stol(line.substr(24));
  }
  return sum;
}

long resident_kib(const Watch& watch) {
  std::ifstream status("/proc/" + std::to_string(watch.pid()) + "/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmRSS:")) return std::stol(line.substr(6));
  return 0;
}

TEST_CASE("with nothing to do it does not even wake up") {
  const Node n1("n1");
  const Service web("web", shared_engine_spec());
  REQUIRE(web.plumb(n1, "start").exit_code == 0);
  Watch watch(n1, "--metrics /run/plumb/metrics.sock");
  watch.forget();
  n1.must({"docker", "kill", "web.container.0"});
  REQUIRE_MESSAGE(watch.says("up again"), watch.log());
  // The rest of the announcements, two seconds of them, and the engine's last words.
  CHECK_FALSE(watch.says("nothing like that", 4s));
  const long before = wakeups(watch);
  CHECK(before > 0);
  CHECK_FALSE(watch.says("nothing like that", 4s));
  CHECK(wakeups(watch) == before);
  const std::string metrics = n1.must({"curl", "-s", "--unix-socket", "/run/plumb/metrics.sock", "http://x/metrics"});
  CHECK_MESSAGE(metrics.find("plumb_watch_services 1\n") != std::string::npos, metrics);
  CHECK_MESSAGE(metrics.find("plumb_watch_heals_total{result=\"ok\"} 1\n") != std::string::npos, metrics);
  CHECK(watch.end().exit_code == 0);
  CHECK(n1.run({"test", "-e", "/run/plumb/metrics.sock"}).exit_code != 0);
}

TEST_CASE("two hundred services are watched in little memory") {
  const Node n1("n1");
  std::string begin;
  std::string end;
  for (int i = 0; i < 200; ++i) {
    const std::string name = "m" + std::to_string(i);
    n1.write("/etc/plumb/" + name + ".conf", "[ip#0]\nipname = 10.0.4." + std::to_string(i + 1) +
                                                 "\nipdev = eth0\nnetmask = 24\nprobe = off\nannounce = 1\n");
    begin += program() + " start -q " + name + " && ";
    end += program() + " stop -q " + name + "; rm /etc/plumb/" + name + ".conf /run/plumb/" + name + ".lock; ";
  }
  n1.must({"bash", "-c", begin + "true"});
  {
    Watch watch(n1, "--metrics /run/plumb/metrics.sock");
    watch.forget();
    n1.must({"ip", "address", "del", "10.0.4.200/24", "dev", "eth0"});
    CHECK_MESSAGE(watch.says("m199: up again"), watch.log());
    CHECK_FALSE(watch.says("nothing like that", 2s));
    const std::string metrics = n1.must({"curl", "-s", "--unix-socket", "/run/plumb/metrics.sock", "http://x/metrics"});
    CHECK_MESSAGE(metrics.find("plumb_watch_services 200\n") != std::string::npos, metrics);
    MESSAGE("resident: " << resident_kib(watch) << " KiB");
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    CHECK(resident_kib(watch) < 24 * 1024);
#endif
  }
  n1.must({"bash", "-c", end + "true"});
}

}  // namespace
}  // namespace plumb::lab
