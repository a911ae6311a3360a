#include <doctest/doctest.h>

#include <ctime>
#include <map>
#include <set>
#include <sstream>
#include <thread>
#include <vector>

#include "plugin/driver/metrics.h"

using namespace plumb::driver;
using namespace std::chrono_literals;

namespace {

// The exposition format 0.0.4, strictly: what is not of it is a problem.
struct Exposition {
  std::map<std::string, double> samples;  // by name{labels}, as written
  std::map<std::string, std::string> types;
  std::vector<std::string> order;  // of the samples
  std::string problems;

  explicit Exposition(const std::string& text);
  void comment(const std::string& line);
  void sample(const std::string& line);
  [[nodiscard]] bool has_type(const std::string& name) const;

 private:
  std::set<std::string> helped_;
  std::string family_;  // of the last TYPE
};

bool is_name(const std::string& name) {
  return !name.empty() &&
         name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_:") ==
             std::string::npos &&
         name.find_first_of("0123456789") != 0;
}

// What follows the labels that begin at `from` (after "{"), past their "}"; npos where they are wrong.
std::size_t skip_labels(const std::string& line, std::size_t from) {
  for (;;) {
    const std::size_t equals = line.find("=\"", from);
    if (equals == std::string::npos || !is_name(line.substr(from, equals - from))) return std::string::npos;
    std::size_t at = equals + 2;
    for (; at < line.size() && line[at] != '"'; ++at) {
      if (line[at] != '\\') continue;
      ++at;
      if (at == line.size() || std::string("\\\"n").find(line[at]) == std::string::npos) return std::string::npos;
    }
    if (at + 1 >= line.size()) return std::string::npos;
    if (line[at + 1] == '}') return at + 2;
    if (line[at + 1] != ',') return std::string::npos;
    from = at + 2;
  }
}

Exposition::Exposition(const std::string& text) {
  if (text.empty() || text.back() != '\n') problems += "no newline at the end\n";
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) line.starts_with('#') ? comment(line) : sample(line);
}

void Exposition::comment(const std::string& line) {
  std::istringstream words(line);
  std::string hash;
  std::string kind;
  std::string name;
  std::string rest;
  words >> hash >> kind >> name;
  std::getline(words >> std::ws, rest);
  if (!is_name(name) || rest.empty()) problems += "no comment: " + line + "\n";
  if (kind == "HELP") {
    if (!helped_.insert(name).second) problems += "helped twice: " + line + "\n";
    return;
  }
  const std::set<std::string> known{"counter", "gauge", "histogram"};
  if (kind != "TYPE" || !known.contains(rest) || !helped_.contains(name)) problems += "no type: " + line + "\n";
  if (!types.emplace(name, rest).second) problems += "typed twice: " + line + "\n";
  family_ = name;
}

bool Exposition::has_type(const std::string& name) const {
  if (name == family_) return types.at(name) != "histogram";
  const std::set<std::string> parts{family_ + "_bucket", family_ + "_sum", family_ + "_count"};
  return !family_.empty() && types.at(family_) == "histogram" && parts.contains(name);
}

void Exposition::sample(const std::string& line) {
  const std::size_t name_end = line.find_first_of("{ ");
  const std::string name = line.substr(0, name_end);
  if (!is_name(name) || name_end == std::string::npos || !has_type(name)) {
    problems += "no sample: " + line + "\n";
    return;
  }
  const std::size_t end = line[name_end] == '{' ? skip_labels(line, name_end + 1) : name_end;
  std::size_t read = 0;
  if (end == std::string::npos || line[end] != ' ') {
    problems += "no labels: " + line + "\n";
    return;
  }
  const std::string number = line.substr(end + 1);
  const double value = number.empty() ? 0 : std::stod(number, &read);
  if (read == 0 || read != number.size()) problems += "no number: " + line + "\n";
  if (!samples.emplace(line.substr(0, end), value).second) problems += "said twice: " + line + "\n";
  order.push_back(line.substr(0, end));
}

}  // namespace

TEST_CASE("the metrics of a driver that did nothing are well formed and zero") {
  const Metrics metrics;
  const Exposition said(metrics.text());
  CHECK(said.problems.empty());
  INFO(said.problems);
  CHECK(said.samples.at("plumb_driver_calls_total{method=\"NetworkDriver.Join\",result=\"ok\"}") == 0);
  CHECK(said.samples.at("plumb_driver_calls_total{method=\"unknown\",result=\"error\"}") == 0);
  for (const char* name :
       {"plumb_driver_conflicts_total", "plumb_driver_announced_frames_total", "plumb_driver_announce_failures_total",
        "plumb_driver_carrier_returns_total", "plumb_driver_collected_endpoints_total", "plumb_driver_networks",
        "plumb_driver_endpoints"}) {
    INFO(name);
    CHECK(said.samples.at(name) == 0);
  }
  CHECK(said.types.at("plumb_driver_networks") == "gauge");
  CHECK(said.types.at("plumb_driver_conflicts_total") == "counter");
  CHECK(said.types.at("plumb_driver_call_seconds") == "histogram");
}

TEST_CASE("the metrics say what the process is") {
  const Exposition said(Metrics().text());
  CHECK(said.samples.at("process_resident_memory_bytes") > 100'000);
  const auto now = static_cast<double>(std::time(nullptr));
  CHECK(said.samples.at("process_start_time_seconds") < now + 5);
  CHECK(said.samples.at("process_start_time_seconds") > now - 24 * 3600);
  CHECK(said.order.back().starts_with("plumb_build_info{version=\""));
  CHECK(said.samples.at(said.order.back()) == 1);
}

TEST_CASE("calls are counted by method and result, and by how long they took") {
  Metrics metrics;
  metrics.called("/NetworkDriver.Join", 1ms, false);
  metrics.called("NetworkDriver.Join", 1ms + 1ns, false);
  metrics.called("/NetworkDriver.Join", 3s, true);
  metrics.called("/NetworkDriver.Join", 11s, false);
  metrics.called("/NetworkDriver.Join", -1s, false);
  const Exposition said(metrics.text());
  INFO(said.problems);
  CHECK(said.problems.empty());
  const auto join = [&](const std::string& metric, const std::string& more = {}) {
    return said.samples.at("plumb_driver_call" + metric + "{method=\"NetworkDriver.Join\"" + more + "}");
  };
  CHECK(join("s_total", ",result=\"ok\"") == 4);
  CHECK(join("s_total", ",result=\"error\"") == 1);
  CHECK(join("_seconds_bucket", ",le=\"0.001\"") == 2);
  CHECK(join("_seconds_bucket", ",le=\"0.0025\"") == 3);
  CHECK(join("_seconds_bucket", ",le=\"2.5\"") == 3);
  CHECK(join("_seconds_bucket", ",le=\"5\"") == 4);
  CHECK(join("_seconds_bucket", ",le=\"10\"") == 4);
  CHECK(join("_seconds_bucket", ",le=\"+Inf\"") == 5);
  CHECK(join("_seconds_count") == 5);
  CHECK(join("_seconds_sum") == doctest::Approx(14.002000001).epsilon(1e-12));
  CHECK_FALSE(said.samples.contains("plumb_driver_call_seconds_count{method=\"NetworkDriver.Leave\"}"));
}

TEST_CASE("methods that no engine has are counted together, whatever a client calls") {
  Metrics metrics;
  const auto lines = Exposition(metrics.text()).order.size();
  for (int i = 0; i < 100; ++i) metrics.called("/" + std::to_string(i) + "\"\\\n{}", 1ms, true);
  for (const char* odd : {"", "/", "//NetworkDriver.Join", "zzz", "IpamDriver", "networkdriver.join"})
    metrics.called(odd, 1ms, true);
  metrics.called("/unknown", 1ms, true);
  const Exposition said(metrics.text());
  INFO(said.problems);
  CHECK(said.problems.empty());
  CHECK(said.samples.at("plumb_driver_calls_total{method=\"unknown\",result=\"error\"}") == 107);
  CHECK(said.order.size() == lines + 16);
}

TEST_CASE("every method of the protocol has a line of its own") {
  const Exposition said(Metrics().text());
  for (const std::string method : {"Plugin.Activate",
                                   "NetworkDriver.GetCapabilities",
                                   "NetworkDriver.GwAllocCheck",
                                   "NetworkDriver.AllocateNetwork",
                                   "NetworkDriver.FreeNetwork",
                                   "NetworkDriver.CreateNetwork",
                                   "NetworkDriver.DeleteNetwork",
                                   "NetworkDriver.CreateEndpoint",
                                   "NetworkDriver.DeleteEndpoint",
                                   "NetworkDriver.EndpointOperInfo",
                                   "NetworkDriver.Join",
                                   "NetworkDriver.Leave",
                                   "NetworkDriver.DiscoverNew",
                                   "NetworkDriver.DiscoverDelete",
                                   "NetworkDriver.ProgramExternalConnectivity",
                                   "NetworkDriver.RevokeExternalConnectivity",
                                   "IpamDriver.GetCapabilities",
                                   "IpamDriver.GetDefaultAddressSpaces",
                                   "IpamDriver.RequestPool",
                                   "IpamDriver.ReleasePool",
                                   "IpamDriver.RequestAddress",
                                   "IpamDriver.ReleaseAddress"}) {
    INFO(method);
    Metrics metrics;
    metrics.called("/" + method, 1ms, false);
    CHECK(Exposition(metrics.text()).samples.at("plumb_driver_calls_total{method=\"" + method + "\",result=\"ok\"}") ==
          1);
    CHECK(said.samples.contains("plumb_driver_calls_total{method=\"" + method + "\",result=\"error\"}"));
  }
}

TEST_CASE("events add up and gauges are set, from several threads at once") {
  Metrics metrics;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i)
      threads.emplace_back([&] {
        for (int n = 0; n < 500; ++n) {
          metrics.count(Event::conflict);
          metrics.count(Event::announced_frames, 3);
          metrics.called("/NetworkDriver.Leave", 1ms, false);
          if (n % 100 == 0) metrics.set_endpoints(metrics.text().empty() ? 0 : 7);
        }
      });
  }
  metrics.count(Event::announce_failures, 2);
  metrics.count(Event::carrier_returns, 4);
  metrics.count(Event::collected_endpoints, 5);
  metrics.set_networks(9);
  const Exposition said(metrics.text());
  CHECK(said.samples.at("plumb_driver_conflicts_total") == 2000);
  CHECK(said.samples.at("plumb_driver_announced_frames_total") == 6000);
  CHECK(said.samples.at("plumb_driver_announce_failures_total") == 2);
  CHECK(said.samples.at("plumb_driver_carrier_returns_total") == 4);
  CHECK(said.samples.at("plumb_driver_collected_endpoints_total") == 5);
  CHECK(said.samples.at("plumb_driver_networks") == 9);
  CHECK(said.samples.at("plumb_driver_endpoints") == 7);
  CHECK(said.samples.at("plumb_driver_call_seconds_count{method=\"NetworkDriver.Leave\"}") == 2000);
}
