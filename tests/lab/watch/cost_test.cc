// What the watcher costs a node on which nothing happens.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/lab/watch/watch.h"

namespace plumb::lab {
namespace {

using namespace std::chrono_literals;

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

TEST_CASE("all addresses of the node are announced from the socket of one") {
  constexpr int kMany = 10;
  const Node n1("n1");
  const auto spec = [](int i) {
    return "[DEFAULT]\nnodes = n1\n[ip#0]\nipdev = eth0\nnetmask = 24\nipname = 10.0.3." + std::to_string(60 + i) +
           "\n";
  };
  const Watch watch(n1, "--metrics /run/plumb/metrics.sock");
  std::vector<std::unique_ptr<Service>> services;
  const auto start = [&](int i) {
    services.push_back(std::make_unique<Service>("plain" + std::to_string(i), spec(i)));
    REQUIRE(services.back()->plumb(n1, "start").exit_code == 0);
  };
  // By the watcher: what a start announces is another socket's.
  const auto announced = [&] {
    const std::string all = n1.must({"curl", "-s", "--unix-socket", "/run/plumb/metrics.sock", "http://x/metrics"});
    constexpr std::string_view kName = "\nplumb_watch_announced_frames_total ";
    const auto at = all.find(kName);
    REQUIRE_MESSAGE(at != std::string::npos, all);
    return std::stol(all.substr(at + kName.size()));
  };
  const auto sockets = [&] { return n1.must({"bash", "-c", "grep -c . /proc/net/packet"}); };
  start(0);
  REQUIRE(becomes([&] { return announced() > 0; }, kSoon));
  REQUIRE(becomes([&, last = std::string()]() mutable { return std::exchange(last, sockets()) == last; }, kSoon));
  const std::string before = sockets();
  const long frames = announced();
  for (int i = 1; i <= kMany; ++i) start(i);
  REQUIRE(becomes([&] { return announced() >= frames + 2 * kMany; }, kSoon));
  CHECK(becomes([&] { return sockets() == before; }, kSoon));
  for (const auto& one : services) CHECK(one->plumb(n1, "stop").exit_code == 0);
}

TEST_CASE("with nothing to do it wakes up for its hellos alone") {
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
  // One each second, give or take a tenth; the gateway answers, and is heard.
#ifndef __SANITIZE_THREAD__
  CHECK(wakeups(watch) - before >= 3);
#endif
  CHECK(wakeups(watch) - before <= 15);
  const std::string metrics = n1.must({"curl", "-s", "--unix-socket", "/run/plumb/metrics.sock", "http://x/metrics"});
  CHECK_MESSAGE(metrics.find("plumb_watch_services 1\n") != std::string::npos, metrics);
  CHECK_MESSAGE(metrics.find("plumb_watch_heals_total{result=\"ok\"} 1\n") != std::string::npos, metrics);
  CHECK(watch.end().exit_code == 0);
  CHECK(n1.run({"test", "-e", "/run/plumb/metrics.sock"}).exit_code != 0);
}

TEST_CASE("metrics are served on a socket of systemd's, which stays") {
  const Node n1("n1");
  // It listens, and executes the watcher when somebody connects (systemd-socket-activate(1)).
  n1.remove("/run/plumb/metrics.sock");
  Running activated = n1.start({"systemd-socket-activate", "--listen=/run/plumb/metrics.sock",
                                "--fdname=plumb-watch-metrics", program(), "watch"});
  REQUIRE(activated.await_errors("Listening on", kSoon));
  const Words ask{"curl", "-s", "--unix-socket", "/run/plumb/metrics.sock"};
  const auto asked = [&](const Words& what) {
    Words words = ask;
    words.insert(words.end(), what.begin(), what.end());
    return n1.run(words).out;
  };
  CHECK(asked({"http://x/metrics"}).find("plumb_watch_services 0\n") != std::string::npos);
  CHECK(asked({"-X", "POST", "http://x/metrics"}) == "only GET\n");
  CHECK(asked({"http://x/"}) == "there is only /metrics\n");
  activated.signal(SIGTERM);
  CHECK(activated.wait().exit_code == 0);
  CHECK(n1.run({"test", "-S", "/run/plumb/metrics.sock"}).exit_code == 0);
  n1.remove("/run/plumb/metrics.sock");
}

long looks(const Node& node) {
  const std::string name = "plumb_watch_looks_total ";
  const std::string all = node.must({"curl", "-s", "--unix-socket", "/run/plumb/metrics.sock", "http://x/metrics"});
  return std::stol(all.substr(all.find("\n" + name) + 1 + name.size()));
}

TEST_CASE("an address that comes or goes concerns the service that has it, and no other") {
  constexpr int kServices = 20;
  const Node n1("n1");
  std::string begin = "true";
  std::string end = "true";
  for (int i = 1; i <= kServices; ++i) {
    const std::string name = "m" + std::to_string(i);
    n1.write("/etc/plumb/" + name + ".conf",
             "[ip#0]\nipname = 10.0.4." + std::to_string(i) + "\nipdev = eth0\nprobe = off\nnetmask = 32\n");
    begin += " && " + program() + " start -q " + name;
    end += "; " + program() + " stop -q " + name + "; rm /etc/plumb/" + name + ".conf /run/plumb/" + name + ".lock";
  }
  n1.must({"bash", "-c", begin});
  {
    Watch watch(n1, "--metrics /run/plumb/metrics.sock");
    CHECK(becomes([&] { return looks(n1) >= kServices; }, kSoon));
    watch.forget();
    // Whatever the beginning has left to be looked at is looked at before.
    n1.must({"ip", "address", "del", "10.0.4.1/32", "dev", "eth0"});
    REQUIRE_MESSAGE(watch.says("m1: up again"), watch.log());
    const long before = looks(n1);
    n1.must({"ip", "address", "add", "10.0.6.1/24", "dev", "eth0"});
    n1.must({"ip", "address", "del", "10.0.6.1/24", "dev", "eth0"});
    n1.must({"ip", "address", "del", "10.0.4.2/32", "dev", "eth0"});
    CHECK_MESSAGE(watch.says("m2: up again"), watch.log());
    CHECK(watch.log().find("m3: ") == std::string::npos);
    watch.forget();
    CHECK_FALSE(watch.says("healing", 500ms));
    CHECK(looks(n1) - before > 0);
    CHECK(looks(n1) - before < kServices);
  }
  n1.must({"bash", "-c", end});
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
