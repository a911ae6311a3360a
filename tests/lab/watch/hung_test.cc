// Services whose verbs or engines hang, and all others: these are healed as if there were none of those, and the
// watcher ends when it is told to.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <vector>

#include "tests/lab/stalled_engine.h"
#include "tests/lab/watch/watch.h"

namespace plumb::lab {
namespace {

using namespace std::chrono_literals;

constexpr int kHung = 10;  // more than are looked after at once

// Services of one kind on one node, started.
class Fleet {
 public:
  Fleet(const Node& node, std::string prefix, int count, const std::string& spec) : node_(node) {
    for (int i = 0; i < count; ++i) {
      names_.push_back(prefix + std::to_string(i));
      std::string text = spec;
      if (const auto at = text.find('#', text.find("ipname")); at != std::string::npos)
        text.replace(at, 1, std::to_string(i + 1));
      node_.write("/etc/plumb/" + names_.back() + ".conf", text);
      start(i);
    }
  }
  ~Fleet() {
    for (const auto& name : names_) {
      node_.run({program(), "stop", name}, 60s);
      node_.run({"rm", "-f", "/etc/plumb/" + name + ".conf", "/run/plumb/" + name + ".lock"});
    }
  }
  Fleet(const Fleet&) = delete;
  Fleet& operator=(const Fleet&) = delete;

  void start(int i) const { node_.must({program(), "start", names_.at(static_cast<std::size_t>(i))}); }
  [[nodiscard]] const std::vector<std::string>& names() const { return names_; }

 private:
  const Node& node_;
  std::vector<std::string> names_;
};

std::string addresses(const std::string& network) {
  return "[DEFAULT]\nnodes = n1\n[ip#0]\nipname = " + network + "#\nipdev = eth0\nnetmask = 32\nprobe = off\n";
}

const std::string kContainer =
    "[DEFAULT]\nnodes = n1\n[container#a]\nimage = plumb/pause\nrm = true\n"
    "[ip#0]\ntype = netns\nnetns = container#a\nipname = 10.0.6.#\nipdev = eth0\nnetmask = 24\nprobe = off\n";

void lose(const Node& node, const std::string& address) {
  node.must({"ip", "address", "del", address + "/32", "dev", "eth0"});
}

// Has the lock of a service, as a verb that hangs.
class HeldLock {
 public:
  HeldLock(const Node& node, const std::string& service)
      : running_(node.start(
            {"bash", "-c", "exec 9<>/run/plumb/" + service + ".lock; flock 9; echo held; exec sleep 1000"})) {
    REQUIRE(running_.await_output("held", kSoon));
  }
  void release() {
    running_.signal(SIGKILL);
    running_.wait(kSoon);
  }

 private:
  Running running_;
};

// How many of the watcher's threads wait for a lock.
int waiting(const Watch& watch) {
  std::ifstream locks("/proc/locks");
  const std::string pid = " " + std::to_string(watch.pid()) + " ";
  int count = 0;
  for (std::string line; std::getline(locks, line);)
    if (line.find("-> FLOCK") != std::string::npos && line.find(pid) != std::string::npos) ++count;
  return count;
}

long threads(const Watch& watch) {
  const std::filesystem::directory_iterator tasks("/proc/" + std::to_string(watch.pid()) + "/task");
  return std::distance(begin(tasks), end(tasks));
}

bool has_said(const Watch& watch, const std::string& text) { return watch.log().find(text) != std::string::npos; }

TEST_CASE("who waits for verbs that hang holds up no other service, and ends when it is told to") {
  const Node n1("n1");
  const Fleet hung(n1, "hung", kHung, addresses("10.0.4."));
  const Fleet well(n1, "well", 1, addresses("10.0.5."));
  {
    Watch watch(n1);
    std::vector<HeldLock> verbs;
    for (const auto& name : hung.names()) verbs.emplace_back(n1, name);
    for (int i = 1; i <= kHung; ++i) lose(n1, "10.0.4." + std::to_string(i));
    CHECK(becomes([&] { return waiting(watch) == kHung; }, kSoon));
    lose(n1, "10.0.5.1");
    CHECK_MESSAGE(watch.says("well0: up again"), watch.log());
    CHECK_MESSAGE(!has_said(watch, "hung0: up again"), watch.log());
    // A verb that is done: its service's turn, and nobody else's.
    verbs.front().release();
    CHECK_MESSAGE(watch.says("hung0: up again"), watch.log());
    CHECK_MESSAGE(!has_said(watch, "hung1: up again"), watch.log());
    // The verbs have their locks still.
    CHECK(watch.end().exit_code == 0);
    CHECK_MESSAGE(!has_said(watch, "hung1: up again"), watch.log());
    for (auto verb = verbs.begin() + 1; verb != verbs.end(); ++verb) verb->release();
  }
  Watch next(n1);
  for (const auto& name : hung.names())
    CHECK(becomes([&] { return n1.run({program(), "status", name}).exit_code == 0; }, kSoon));
  CHECK(next.end().exit_code == 0);
}

TEST_CASE("an engine that hangs holds up its own services alone, and these are looked at when it is back") {
  const Node n1("n1");
  const Fleet hung(n1, "hung", kHung, kContainer);
  const Fleet well(n1, "well", 1, addresses("10.0.5."));
  const auto killing = [&] {
    Words out{"kill", "-9"};
    for (const auto& name : hung.names()) out.push_back(pid_of(n1, name + ".container.a"));
    return out;
  };
  Watch watch(n1);
  REQUIRE(watch.says("listening to the engine"));
  // Its own four: nobody is at work.
  long before = 0;
  REQUIRE(becomes([&] { return (before = threads(watch)) <= 4; }, kSoon));
  {
    const Words kill = killing();
    const StalledEngine stalled(n1);
    n1.must(kill);
    CHECK(becomes([&] { return threads(watch) >= before + 8; }, kSoon));
    lose(n1, "10.0.5.1");
    CHECK_MESSAGE(watch.says("well0: up again"), watch.log());
    CHECK_MESSAGE(!has_said(watch, "no answer when the deadline passes"), watch.log());
    CHECK_MESSAGE(watch.says("no answer when the deadline passes", 60s), watch.log());
  }
  for (const auto& name : hung.names()) REQUIRE_MESSAGE(watch.says(name + ": up again", 60s), watch.log());
  const Words kill = killing();
  const StalledEngine stalled(n1);
  n1.must(kill);
  CHECK(becomes([&] { return threads(watch) >= before + 8; }, kSoon));
  // Long before the engine's time is over.
  CHECK(watch.end().exit_code == 0);
}

}  // namespace
}  // namespace plumb::lab
