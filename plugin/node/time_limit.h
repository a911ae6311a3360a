// TimeLimit: a stop token that also fires when a verb's time is over (`timeout`, `start_timeout`, `stop_timeout`).
//
// Threads: makes and joins one of its own where there is a limit. Privilege: none.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>

namespace plumb {

class TimeLimit {
 public:
  // Without a limit only `outer` fires.
  TimeLimit(std::optional<std::chrono::milliseconds> limit, const std::stop_token& outer)
      : outer_(outer, [this] { source_.request_stop(); }) {
    if (!limit) return;
    thread_ = std::jthread([this, limit = *limit](const std::stop_token& end) {
      std::mutex mutex;
      std::condition_variable_any ended;
      std::unique_lock lock(mutex);
      ended.wait_for(lock, end, limit, [] { return false; });
      if (end.stop_requested()) return;
      passed_ = true;
      source_.request_stop();
    });
  }

  [[nodiscard]] std::stop_token stop() const { return source_.get_token(); }
  [[nodiscard]] bool passed() const { return passed_; }

 private:
  std::atomic<bool> passed_ = false;
  std::stop_source source_;
  std::stop_callback<std::function<void()>> outer_;
  std::jthread thread_;  // last: it uses the others until it is joined
};

}  // namespace plumb
