// Metrics: what the watcher has done, in the text format of Prometheus (plugin/daemon/metrics_text.h).
//
// Threads: safe from any. Privilege: none.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>

namespace plumb::watch {

enum class Event {
  look,
  healed,
  heal_failed,
  container_restart,
  rival,
  doubt,
  loss,
  announced_frames,
  carrier_return,
  engine_reconnect,
};

class Metrics {
 public:
  void count(Event event, std::uint64_t times = 1) { events_[static_cast<std::size_t>(event)] += times; }
  // Services that are started, and those of them that are not as they should be.
  void set_services(std::size_t all, std::size_t ailing) {
    services_ = all;
    ailing_ = ailing;
  }
  [[nodiscard]] std::string text() const;

 private:
  [[nodiscard]] std::uint64_t value(Event event) const { return events_[static_cast<std::size_t>(event)].load(); }
  std::array<std::atomic<std::uint64_t>, 10> events_{};
  std::atomic<std::size_t> services_ = 0;
  std::atomic<std::size_t> ailing_ = 0;
};

}  // namespace plumb::watch
