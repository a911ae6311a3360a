// Metrics: what the driver has done, in the Prometheus text format (exposition format 0.0.4).
//
// Threads: safe from any. Privilege: none.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>

namespace plumb::driver {

// What may happen besides calls. Each is a counter; endpoints and networks are gauges, set by the driver.
enum class Event { conflict, announced_frames, announce_failures, carrier_returns, collected_endpoints };

class Metrics {
 public:
  void called(const std::string& method, std::chrono::nanoseconds took, bool failed);
  void count(Event event, std::uint64_t times = 1);
  void set_networks(std::size_t count);
  void set_endpoints(std::size_t count);

  [[nodiscard]] std::string text() const;
};

}  // namespace plumb::driver
