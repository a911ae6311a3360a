// EngineTime: how much of a thread's time is the engine's, so that plumb's own can be told from it; and the clock of
// both.
//
// Threads: each thread has a count of its own. Privilege: none.
#pragma once

#include <chrono>

namespace plumb {

using Clock = std::chrono::steady_clock;

// Counts the time that the calling thread spends in engine calls; the executor reads it for each step.
class EngineTime {
 public:
  [[nodiscard]] static Clock::duration of_this_thread();
  // Runs `call` and counts its time.
  template <typename F>
  static auto count(F&& call) {
    const Span span;
    return call();
  }

 private:
  struct Span {
    Span() : begin(Clock::now()) {}
    ~Span();
    Span(const Span&) = delete;
    Span& operator=(const Span&) = delete;
    Clock::time_point begin;
  };
};

}  // namespace plumb
