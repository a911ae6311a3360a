// NodeReading: the node's own namespace, read once for all services that are looked at because of the same thing.
//
// Threads: safe from any. Privilege: none.
#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <optional>

#include "plugin/verb/observer.h"
#include "plugin/watch/decision.h"

namespace plumb::watch {

class NodeReading {
 public:
  explicit NodeReading(NodeReader read) : read_(std::move(read)) {}

  // As the node was at `since`, or later, and as far as is known since then: read now where nobody has. Errors: those
  // of the reader, who is asked again then.
  [[nodiscard]] Result<ObservedNetns> get(bool all_routes, Time since) {
    auto& reading = readings_.at(all_routes ? 1 : 0);
    const std::lock_guard lock(reading.mutex);
    const auto now_heard = heard();
    if (!reading.node || reading.begun < since || reading.heard != now_heard) {
      reading.node.reset();
      reading.begun = Clock::now();
      reading.heard = now_heard;
      reading.node = TRY(read_(all_routes));
    }
    return *reading.node;
  }
  // Something has happened on the node.
  void expire() {
    const std::lock_guard lock(mutex_);
    ++events_;
  }

 private:
  using Clock = Time::clock;
  struct Reading {
    std::mutex mutex;
    std::optional<ObservedNetns> node;
    Time begun;
    std::uint64_t heard = 0;
  };
  [[nodiscard]] std::uint64_t heard() const {
    const std::lock_guard lock(mutex_);
    return events_;
  }

  NodeReader read_;
  mutable std::mutex mutex_;
  std::uint64_t events_ = 0;
  std::array<Reading, 2> readings_;  // without all routes, and with
};

}  // namespace plumb::watch
