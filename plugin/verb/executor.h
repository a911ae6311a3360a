// Runs a plan's graph: every step as early as its dependencies allow, in parallel, until all have ended or one failed.
//
// Threads: execute() makes and joins its own threads; `perform` is called from several of them at once. Privilege:
// none.
#pragma once

#include <chrono>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "specs/plan/plan.h"
#include "specs/value/result.h"

namespace plumb {

using Clock = std::chrono::steady_clock;

// What takes back the effect of a step.
using Undo = std::function<Result<void>()>;

// What this run has done so far, in order, so that it can be taken back in reverse.
class UndoLog {
 public:
  void push(std::string what, Undo undo);
  // Runs all undo functions, the newest first, also after one failed. Returns the sentences of those that failed.
  [[nodiscard]] std::vector<std::string> unwind();

 private:
  struct Entry {
    std::string what;
    Undo undo;
  };
  std::mutex mutex_;
  std::vector<Entry> entries_;
};

// When a step ran, and how much of that was spent waiting for the engine.
struct StepRecord {
  bool ran = false;
  Clock::time_point begin;
  Clock::time_point end;
  Clock::duration engine{0};
};

struct StepFailure {
  std::size_t step = 0;
  Error error;
};

struct Execution {
  std::vector<StepRecord> records;     // one for each step of the plan
  std::optional<StepFailure> failure;  // the first step that failed, not those that were cancelled because of it
  std::vector<std::string> warnings;   // failures of steps that only tidy up
};

using Perform = std::function<Result<void>(const Step& step, const std::stop_token& stop)>;

// Runs the plan. After a failure no further step begins, and the stop token of the running ones is set; they are waited
// for. `stop` from outside (a signal) counts as a failure with ErrorKind::cancelled.
[[nodiscard]] Execution execute(const Plan& plan, const Perform& perform, const std::stop_token& stop);

// The chain of steps that decided how long the execution took, from its first to its last step.
[[nodiscard]] std::vector<std::size_t> critical_path(const Plan& plan, const Execution& execution);

// Counts the time that the calling thread spends in engine calls; execute() reads it for each step.
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
