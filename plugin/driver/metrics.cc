#include "plugin/driver/metrics.h"

#include <algorithm>

#include "plugin/daemon/metrics_text.h"

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
constexpr std::array<Named, 8> kEventNames{{
    {"plumb_driver_conflicts_total", "Addresses that somebody else on the network answered for."},
    {"plumb_driver_announced_frames_total", "ARP and neighbour advertisement frames sent to announce addresses."},
    {"plumb_driver_announce_failures_total", "Announcements that could not be sent."},
    {"plumb_driver_carrier_returns_total", "Times that a parent device had its carrier again."},
    {"plumb_driver_collected_endpoints_total",
     "Endpoints that the driver removed because the engine had forgotten them."},
    {"plumb_driver_rivals_total", "Times that somebody else was heard to use the address of a running container."},
    {"plumb_driver_lost_addresses_total", "Addresses taken off running containers because somebody else has them."},
    {"plumb_driver_doubts_total", "Addresses taken off running containers until it was known that nobody has them."},
}};

std::size_t index_of(std::string_view method) {
  if (method.starts_with('/')) method.remove_prefix(1);
  const auto* const found = std::lower_bound(kNames.begin(), kNames.end() - 1, method);
  return found != kNames.end() - 1 && *found == method ? static_cast<std::size_t>(found - kNames.begin())
                                                       : kNames.size() - 1;
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
void Metrics::write_calls(MetricsText& out) const {
  constexpr std::string_view kName = "plumb_driver_calls_total";
  out.head(kName, MetricType::counter, "Calls of the engine, by method and result.");
  for (std::size_t i = 0; i < kMethods; ++i) {
    const std::string method = MetricsText::label("method", kNames[i]) + ",";
    out.sample(kName, method + MetricsText::label("result", "ok"), methods_[i].ok);
    out.sample(kName, method + MetricsText::label("result", "error"), methods_[i].failed);
  }
}

// Only of methods that were called: 16 lines for each of the others say nothing.
void Metrics::write_seconds(MetricsText& out) const {
  const std::string name = "plumb_driver_call_seconds";
  out.head(name, MetricType::histogram, "Time from a call to its answer, by method.");
  for (std::size_t i = 0; i < kMethods; ++i) {
    const Method& of = methods_[i];
    const auto count = of.ok + of.failed;
    if (count == 0) continue;
    const std::string method = MetricsText::label("method", kNames[i]);
    std::uint64_t up_to = 0;
    for (std::size_t b = 0; b < kBuckets; ++b) {
      up_to += of.buckets[b];
      out.sample(name + "_bucket", method + "," + MetricsText::label("le", kBounds[b].le), up_to);
    }
    out.sample(name + "_bucket", method + "," + MetricsText::label("le", "+Inf"), count);
    out.sample(name + "_sum", method, std::string_view(MetricsText::seconds(of.sum)));
    out.sample(name + "_count", method, count);
  }
}

std::string Metrics::text() const {
  MetricsText out;
  {
    const std::lock_guard lock(mutex_);
    write_calls(out);
    write_seconds(out);
    for (std::size_t i = 0; i < kEvents; ++i)
      out.single(kEventNames[i].name, MetricType::counter, kEventNames[i].help, events_[i]);
    out.single("plumb_driver_networks", MetricType::gauge, "Networks of the engine's that the driver serves.",
               networks_);
    out.single("plumb_driver_endpoints", MetricType::gauge, "Endpoints of the engine's that the driver serves.",
               endpoints_);
  }
  out.process();
  return out.take();
}

}  // namespace plumb::driver
