// Metrics: what the driver has done, in the text format of Prometheus (plugin/daemon/metrics_text.h).
//
// Threads: safe from any. Privilege: none.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

namespace plumb {
class MetricsText;
}

namespace plumb::driver {

// What may happen besides calls. Each is a counter; endpoints and networks are gauges, set by the driver.
enum class Event {
  conflict,
  announced_frames,
  announce_failures,
  carrier_returns,
  collected_endpoints,
  rivals,
  lost_addresses,
  doubts,
};

class Metrics {
 public:
  // `method` is the path of the call, "/NetworkDriver.Join" or "NetworkDriver.Join". One that the engine does not have
  // counts as "unknown": a client cannot make this grow.
  void called(std::string_view method, std::chrono::nanoseconds took, bool failed);
  void count(Event event, std::uint64_t times = 1);
  void set_networks(std::size_t count);
  void set_endpoints(std::size_t count);

  [[nodiscard]] std::string text() const;

 private:
  static constexpr std::size_t kMethods = 23;  // with "unknown", the last
  static constexpr std::size_t kBuckets = 13;  // without +Inf
  static constexpr std::size_t kEvents = 8;

  struct Method {
    std::uint64_t ok = 0;
    std::uint64_t failed = 0;
    std::array<std::uint64_t, kBuckets> buckets{};  // each alone; text() adds them up
    std::chrono::nanoseconds sum{0};
  };

  void write_calls(MetricsText& out) const;
  void write_seconds(MetricsText& out) const;

  mutable std::mutex mutex_;
  std::array<Method, kMethods> methods_{};
  std::array<std::uint64_t, kEvents> events_{};
  std::size_t networks_ = 0;
  std::size_t endpoints_ = 0;
};

}  // namespace plumb::driver
