// Many endpoints, in parallel streams: nothing of them is left, and the driver neither grows nor slows down.
//
// PLUMB_LOAD=500 makes so many real containers; without it there are 48, and 500 endpoints whose engine is this test.
#include <doctest/doctest.h>

#include <algorithm>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "tests/lab/capture.h"
#include "tests/lab/driver/faults.h"
#include "tests/lab/fault/kill_stride.h"

namespace plumb::lab {
namespace {

using namespace std::chrono_literals;
using Json = nlohmann::json;

constexpr unsigned kStreams = 8;
constexpr unsigned kSandboxes = 4;
constexpr long kMostMemory = 24L << 10;  // KiB
// A busy machine may slow anything down; what gets slower with each endpoint is far beyond this after hundreds.
constexpr int kSlower = 3;

// A sanitizer's memory is not the driver's.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kMeasured = false;
#else
constexpr bool kMeasured = true;
#endif

struct Size {
  long memory;
  long threads;
  std::size_t descriptors;
};

Size size_of(const Driver& driver) { return {driver.status("VmRSS"), driver.status("Threads"), driver.descriptors()}; }

// Connections and announcements come to their end in their own time. `kept`: connections that the engine keeps open for
// later calls, each with a thread.
void check_small(const Driver& driver, Size idle, const Size& warm, unsigned kept) {
  idle.descriptors += kept;
  idle.threads += kept;
  CHECK(becomes([&] { return driver.descriptors() <= idle.descriptors && driver.status("Threads") <= idle.threads; },
                10s));
  const Size now = size_of(driver);
  MESSAGE("resident KiB: ", idle.memory, " idle, ", warm.memory, " warm, ", now.memory, " at the end, ",
          driver.status("VmHWM"), " at most");
  CHECK(now.descriptors <= idle.descriptors);
  CHECK(now.threads <= idle.threads);
  if (!kMeasured) return;
  CHECK(driver.status("VmHWM") < kMostMemory);
  CHECK(now.memory <= warm.memory + 2048);
}

template <typename Do>
void in_streams(unsigned count, const Do& one) {
  std::vector<std::jthread> all;
  for (unsigned stream = 0; stream < kStreams; ++stream)
    all.emplace_back([&, stream] {
      for (unsigned i = stream; i < count; i += kStreams) one(i);
    });
}

std::chrono::nanoseconds median(std::vector<std::chrono::nanoseconds> times) {
  std::nth_element(times.begin(), times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2), times.end());
  return times[times.size() / 2];
}

// The driver's clients, as an engine is one; what an engine does to links is done by ip(8).
class Endpoints {
 public:
  Endpoints() {
    for (unsigned i = 0; i < kSandboxes; ++i) {
      n1_.run({"ip", "netns", "del", sandbox(i)});
      n1_.must({"ip", "netns", "add", sandbox(i)});
    }
    pool_ = ask("IpamDriver.RequestPool", {{"Pool", "10.0.0.0/16"}, {"V6", false}}).at("PoolID");
    ask("NetworkDriver.CreateNetwork",
        {{"NetworkID", network_},
         {"Options", {{"com.docker.network.generic", {{"parent", "eth0"}, {"probe", "off"}}}}},
         {"IPv4Data", {{{"Pool", "10.0.0.0/16"}, {"Gateway", "10.0.3.1/16"}}}}});
  }
  ~Endpoints() {
    ask("NetworkDriver.DeleteNetwork", {{"NetworkID", network_}});
    ask("IpamDriver.ReleasePool", {{"PoolID", pool_}});
    for (unsigned i = 0; i < kSandboxes; ++i) n1_.run({"ip", "netns", "del", sandbox(i)});
  }
  Endpoints(const Endpoints&) = delete;
  Endpoints& operator=(const Endpoints&) = delete;

  // One life. `heard`: only once its announcement has been heard on the LAN.
  void live(unsigned i, bool heard) {
    const std::string id = std::to_string(100'000'000'000 + i) + std::string(52, 'f');
    const std::string address = "10.0." + std::to_string(64 + i / 250) + "." + std::to_string(1 + i % 250);
    const Json named{{"NetworkID", network_}, {"EndpointID", id}, {"SandboxKey", "/run/netns/" + sandbox(i)}};
    Json wanted = named;
    wanted["Interface"] = {{"Address", address + "/16"}};
    std::chrono::nanoseconds took{0};
    ask("IpamDriver.RequestAddress", {{"PoolID", pool_}, {"Address", address}}, &took);
    ask("NetworkDriver.CreateEndpoint", wanted, &took);
    const std::string link = ask("NetworkDriver.Join", named, &took)["InterfaceName"].value("SrcName", std::string());
    const std::string inside = "eth" + std::to_string(i);
    {
      std::optional<Capture> wire;
      if (heard) wire.emplace(client_, "eth0");
      n1_.must({"bash", "-ec",
                "ip link set $1 netns $2 name $3; ip -n $2 address add $4/16 dev $3; ip -n $2 link set $3 up", "in",
                link, sandbox(i), inside, address});
      if (heard && !wire->await([&](const Frame& f) { return f.arp() && f.arp()->claims(address); }, 10s))
        fail("no announcement of " + address);
    }
    ask("NetworkDriver.Leave", named, &took);
    n1_.must({"bash", "-ec", "ip -n $2 link set $3 down; ip -n $2 link set $3 netns 1 name $1", "out", link, sandbox(i),
              inside});
    ask("NetworkDriver.DeleteEndpoint", named, &took);
    ask("IpamDriver.ReleaseAddress", {{"PoolID", pool_}, {"Address", address}}, &took);
    const std::lock_guard lock(mutex_);
    times_.push_back(took);
  }
  // Of all calls for one endpoint, in the order of their ends.
  [[nodiscard]] const std::vector<std::chrono::nanoseconds>& times() const { return times_; }
  [[nodiscard]] const Words& failures() const { return failures_; }
  [[nodiscard]] const Node& node() const { return n1_; }

 private:
  static std::string sandbox(unsigned i) { return "load" + std::to_string(i % kSandboxes); }
  void fail(const std::string& what) {
    const std::lock_guard lock(mutex_);
    failures_.push_back(what);
  }
  Json ask(const std::string& method, const Json& body, std::chrono::nanoseconds* took = nullptr) {
    const Answer answer = call(n1_, method, body.dump());
    if (took != nullptr) *took += answer.took;
    if (answer.status != 200 || !answer.error().empty()) fail(method + ": " + answer.body);
    const Json json = Json::parse(answer.body, nullptr, false);
    return json.is_object() ? json : Json::object();
  }

  Node n1_{"n1"};
  Node client_{"client"};
  std::string network_ = std::string(64, 'd');
  std::string pool_;
  std::mutex mutex_;  // of what follows
  std::vector<std::chrono::nanoseconds> times_;
  Words failures_;
};

TEST_CASE("500 endpoints in 8 streams: nothing is left, memory and latency are flat") {
  constexpr unsigned kEndpoints = 500;
  constexpr std::size_t kCompared = 50;
  const Node n1("n1");
  const State before = n1.state();
  {
    const Driver driver(n1, {nullptr, {}, "/var/lib/plumb/driver-load"});
    {
      Endpoints endpoints;
      const Size idle = size_of(driver);
      in_streams(100, [&](unsigned i) { endpoints.live(i, false); });
      const Size warm = size_of(driver);
      in_streams(kEndpoints - 100, [&](unsigned i) { endpoints.live(100 + i, i % 100 == 0); });
      CHECK(endpoints.failures() == Words{});
      CHECK(endpoints.times().size() == kEndpoints);
      check_small(driver, idle, warm, 0);
      const auto& times = endpoints.times();
      const auto first = median({times.begin(), times.begin() + kCompared});
      const auto last = median({times.end() - kCompared, times.end()});
      MESSAGE("median of the calls for one endpoint: ", first / 1us, " us first, ", last / 1us, " us last");
      CHECK(last < kSlower * first);
      CHECK(links_on_node(n1).empty());
    }
    CHECK(records(n1, "/var/lib/plumb/driver-load").empty());
  }
  n1.remove("/var/lib/plumb/driver-load");
  const State after = n1.state();
  for (const auto* kind : {"links", "addresses", "routes"})
    CHECK(difference({{kind, before.at(kind)}}, {{kind, after.at(kind)}}) == "");
}

TEST_CASE("containers in 8 streams, an address chosen for each: all agree, and nothing is left") {
  constexpr unsigned kWave = 48;
  const auto count = static_cast<unsigned>(number_from("PLUMB_LOAD", kWave));
  const Node n1("n1");
  const Driver driver(n1);
  clear_engine(n1);
  const Words before = records(n1);
  {
    const EngineNetwork network(n1, "load", {"--ip-range", "10.0.3.128/25"});
    std::optional<Size> warm;
    const Size idle = size_of(driver);
    std::mutex mutex;
    std::vector<std::chrono::nanoseconds> times;
    Words failures;
    const auto docker = [&](const Words& words) {
      const Outcome outcome = n1.run(words);
      const std::lock_guard lock(mutex);
      if (words[1] == "run") times.push_back(outcome.took);
      if (outcome.exit_code != 0) failures.push_back(outcome.err);
    };
    for (unsigned done = 0; done < count; done += kWave) {
      const unsigned here = std::min(kWave, count - done);
      const auto name = [&](unsigned i) { return "load" + std::to_string(done + i); };
      in_streams(here, [&](unsigned i) {
        docker({"docker", "run", "-d", "--name", name(i), "--network", "load", "--stop-signal", "KILL", "nginx"});
      });
      CHECK(failures == Words{});
      CHECK(agree(n1) == "");
      if (!warm) warm = size_of(driver);
      in_streams(here, [&](unsigned i) { docker({"docker", "rm", "-f", name(i)}); });
      CHECK(agree(n1) == "");
    }
    CHECK(failures == Words{});
    check_small(driver, idle, *warm, 4);
    const Outcome removed = n1.run({"docker", "network", "rm", "load"});
    if (removed.exit_code != 0) {
      // Docker 20.10 miscounts endpoints that are made or removed in parallel, now and then: it lists none; it counts
      // again when it starts.
      MESSAGE("the engine has to count its endpoints again: ", removed.err);
      CHECK(removed.err.find("has active endpoints") != std::string::npos);
      lab({"engine", "n1", "stop"});
      lab({"engine", "n1", "start"});
      CHECK(n1.run({"docker", "network", "rm", "load"}).exit_code == 0);
    }
    MESSAGE("median docker run: ", median({times.begin(), times.begin() + kWave}) / 1ms, " ms first, ",
            median({times.end() - kWave, times.end()}) / 1ms, " ms last");
  }
  CHECK(records(n1) == before);
}

}  // namespace
}  // namespace plumb::lab
