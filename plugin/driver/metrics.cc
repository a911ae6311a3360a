#include "plugin/driver/metrics.h"

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <optional>
#include <sstream>

namespace plumb::driver {

namespace {

using std::chrono::nanoseconds;

constexpr std::array<std::string_view, 23> kNames{
    "IpamDriver.GetCapabilities",
    "IpamDriver.GetDefaultAddressSpaces",
    "IpamDriver.ReleaseAddress",
    "IpamDriver.ReleasePool",
    "IpamDriver.RequestAddress",
    "IpamDriver.RequestPool",
    "NetworkDriver.AllocateNetwork",
    "NetworkDriver.CreateEndpoint",
    "NetworkDriver.CreateNetwork",
    "NetworkDriver.DeleteEndpoint",
    "NetworkDriver.DeleteNetwork",
    "NetworkDriver.DiscoverDelete",
    "NetworkDriver.DiscoverNew",
    "NetworkDriver.EndpointOperInfo",
    "NetworkDriver.FreeNetwork",
    "NetworkDriver.GetCapabilities",
    "NetworkDriver.GwAllocCheck",
    "NetworkDriver.Join",
    "NetworkDriver.Leave",
    "NetworkDriver.ProgramExternalConnectivity",
    "NetworkDriver.RevokeExternalConnectivity",
    "Plugin.Activate",
    "unknown",
};

struct Bucket {
  nanoseconds most;
  std::string_view le;
};
constexpr std::array<Bucket, 13> kBounds{{
    {nanoseconds{1'000'000}, "0.001"},
    {nanoseconds{2'500'000}, "0.0025"},
    {nanoseconds{5'000'000}, "0.005"},
    {nanoseconds{10'000'000}, "0.01"},
    {nanoseconds{25'000'000}, "0.025"},
    {nanoseconds{50'000'000}, "0.05"},
    {nanoseconds{100'000'000}, "0.1"},
    {nanoseconds{250'000'000}, "0.25"},
    {nanoseconds{500'000'000}, "0.5"},
    {nanoseconds{1'000'000'000}, "1"},
    {nanoseconds{2'500'000'000}, "2.5"},
    {nanoseconds{5'000'000'000}, "5"},
    {nanoseconds{10'000'000'000}, "10"},
}};

struct Named {
  std::string_view name;
  std::string_view help;
};
// In the order of Event.
constexpr std::array<Named, 5> kEventNames{{
    {"plumb_driver_conflicts_total", "Addresses that somebody else on the network answered for."},
    {"plumb_driver_announced_frames_total", "ARP and neighbour advertisement frames sent to announce addresses."},
    {"plumb_driver_announce_failures_total", "Announcements that could not be sent."},
    {"plumb_driver_carrier_returns_total", "Times that a parent device had its carrier again."},
    {"plumb_driver_collected_endpoints_total",
     "Endpoints that the driver removed because the engine had forgotten them."},
}};

std::size_t index_of(std::string_view method) {
  if (method.starts_with('/')) method.remove_prefix(1);
  const auto* const found = std::lower_bound(kNames.begin(), kNames.end() - 1, method);
  return found != kNames.end() - 1 && *found == method ? static_cast<std::size_t>(found - kNames.begin())
                                                       : kNames.size() - 1;
}

void head(std::string& out, std::string_view name, std::string_view type, std::string_view help) {
  (out += "# HELP ").append(name).append(" ").append(help).append("\n");
  (out += "# TYPE ").append(name).append(" ").append(type).append("\n");
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out;
}

// name="value"
std::string label(std::string_view name, std::string_view value) {
  return std::string(name) + "=\"" + escaped(value) + "\"";
}

void sample(std::string& out, std::string_view name, const std::string& labels, const std::string& value) {
  out += name;
  if (!labels.empty()) out += "{" + labels + "}";
  out += " " + value + "\n";
}

void single(std::string& out, const Named& metric, std::string_view type, const std::string& value) {
  head(out, metric.name, type, metric.help);
  sample(out, metric.name, {}, value);
}

// Exact, and with a point whatever the locale says.
std::string seconds(nanoseconds time) {
  const auto rest = std::to_string(time.count() % 1'000'000'000);
  return std::to_string(time.count() / 1'000'000'000) + "." + std::string(9 - rest.size(), '0') + rest;
}

std::optional<std::uint64_t> resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::uint64_t total = 0;
  std::uint64_t resident = 0;
  if (!(file >> total >> resident)) return std::nullopt;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

// As the Prometheus clients do it: ticks since the boot, field 22 of proc(5)'s stat, and the second of the boot.
std::optional<std::string> start_time() {
  std::ifstream file("/proc/self/stat");
  std::string line;
  if (!std::getline(file, line)) return std::nullopt;
  const std::size_t name_end = line.rfind(')');  // the second field, which may have spaces
  if (name_end == std::string::npos) return std::nullopt;
  std::istringstream fields(line.substr(name_end + 1));
  std::string skipped;
  for (int field = 3; field < 22; ++field) fields >> skipped;
  std::uint64_t ticks = 0;
  if (!(fields >> ticks)) return std::nullopt;
  std::ifstream stat("/proc/stat");
  std::string key;
  std::uint64_t boot = 0;
  while (stat >> key && key != "btime") std::getline(stat, key);
  if (!(stat >> boot)) return std::nullopt;
  const auto a_second = static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
  const auto rest = static_cast<std::int64_t>(ticks % a_second * 1'000'000'000 / a_second);
  return seconds(nanoseconds{static_cast<std::int64_t>(boot + ticks / a_second) * 1'000'000'000 + rest});
}

// What cannot be read is left out: a wrong number is worse than none.
void write_process(std::string& out) {
  if (const auto bytes = resident_bytes())
    single(out, {"process_resident_memory_bytes", "Resident memory size in bytes."}, "gauge", std::to_string(*bytes));
  if (const auto time = start_time())
    single(out, {"process_start_time_seconds", "Start time of the process since unix epoch in seconds."}, "gauge",
           *time);
  head(out, "plumb_build_info", "gauge", "The version of plumb that runs, with the value 1.");
  sample(out, "plumb_build_info", label("version", PLUMB_VERSION), "1");
}

}  // namespace

void Metrics::called(std::string_view method, nanoseconds took, bool failed) {
  static_assert(kNames.size() == kMethods && kBounds.size() == kBuckets && kEventNames.size() == kEvents);
  static_assert(std::is_sorted(kNames.begin(), kNames.end() - 1));
  const nanoseconds time = std::max(took, nanoseconds{0});
  const std::lock_guard lock(mutex_);
  Method& of = methods_.at(index_of(method));
  ++(failed ? of.failed : of.ok);
  of.sum += time;
  for (std::size_t i = 0; i < kBounds.size(); ++i) {
    if (time > kBounds[i].most) continue;
    ++of.buckets[i];
    return;
  }
}

void Metrics::count(Event event, std::uint64_t times) {
  const std::lock_guard lock(mutex_);
  events_.at(static_cast<std::size_t>(event)) += times;
}

void Metrics::set_networks(std::size_t count) {
  const std::lock_guard lock(mutex_);
  networks_ = count;
}

void Metrics::set_endpoints(std::size_t count) {
  const std::lock_guard lock(mutex_);
  endpoints_ = count;
}

// Zeros too: a counter that appears with its first event shows no increase.
void Metrics::write_calls(std::string& out) const {
  constexpr std::string_view kName = "plumb_driver_calls_total";
  head(out, kName, "counter", "Calls of the engine, by method and result.");
  for (std::size_t i = 0; i < kMethods; ++i) {
    const std::string method = label("method", kNames[i]) + ",";
    sample(out, kName, method + label("result", "ok"), std::to_string(methods_[i].ok));
    sample(out, kName, method + label("result", "error"), std::to_string(methods_[i].failed));
  }
}

// Only of methods that were called: 16 lines for each of the others say nothing.
void Metrics::write_seconds(std::string& out) const {
  const std::string name = "plumb_driver_call_seconds";
  head(out, name, "histogram", "Time from a call to its answer, by method.");
  for (std::size_t i = 0; i < kMethods; ++i) {
    const Method& of = methods_[i];
    const auto count = of.ok + of.failed;
    if (count == 0) continue;
    const std::string method = label("method", kNames[i]);
    std::uint64_t up_to = 0;
    for (std::size_t b = 0; b < kBuckets; ++b) {
      up_to += of.buckets[b];
      sample(out, name + "_bucket", method + "," + label("le", kBounds[b].le), std::to_string(up_to));
    }
    sample(out, name + "_bucket", method + "," + label("le", "+Inf"), std::to_string(count));
    sample(out, name + "_sum", method, seconds(of.sum));
    sample(out, name + "_count", method, std::to_string(count));
  }
}

std::string Metrics::text() const {
  std::string out;
  {
    const std::lock_guard lock(mutex_);
    write_calls(out);
    write_seconds(out);
    for (std::size_t i = 0; i < kEvents; ++i) single(out, kEventNames[i], "counter", std::to_string(events_[i]));
    single(out, {"plumb_driver_networks", "Networks of the engine's that the driver serves."}, "gauge",
           std::to_string(networks_));
    single(out, {"plumb_driver_endpoints", "Endpoints of the engine's that the driver serves."}, "gauge",
           std::to_string(endpoints_));
  }
  write_process(out);
  return out;
}

}  // namespace plumb::driver
