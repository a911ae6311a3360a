// Call: how long a request to the engine may take, and who may end it earlier. Passed to every function that talks.
//
// Threads: a plain value. Privilege: none.
#pragma once

#include <algorithm>
#include <chrono>
#include <stop_token>

namespace plumb::docker {

struct Call {
  // From the start of the function that it is passed to until its result; what a container needs to stop comes on top
  // where a function says so. Zero or less is a timeout at once.
  std::chrono::milliseconds deadline{30'000};
  // A stop request ends the function at once with ErrorKind::cancelled, from any thread.
  std::stop_token stop{};

  using TimePoint = std::chrono::steady_clock::time_point;
  // When the deadline passes, counted from now. Cut to a year either way, which no clock overflows.
  [[nodiscard]] TimePoint end() const {
    constexpr std::chrono::milliseconds kYear = std::chrono::hours{24 * 365};
    return std::chrono::steady_clock::now() + std::clamp(deadline, -kYear, kYear);
  }
  // What is left of a call that began earlier and ends at `end`.
  [[nodiscard]] Call until(TimePoint end) const {
    return {std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now()), stop};
  }
};

}  // namespace plumb::docker
