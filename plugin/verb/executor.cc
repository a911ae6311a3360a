#include "plugin/verb/executor.h"

#include <algorithm>
#include <condition_variable>
#include <set>
#include <thread>

namespace plumb {

void UndoLog::push(std::string what, Undo undo) {
  const std::lock_guard lock(mutex_);
  entries_.push_back({std::move(what), std::move(undo)});
}

std::vector<std::string> UndoLog::unwind() {
  std::vector<std::string> failures;
  const std::lock_guard lock(mutex_);
  while (!entries_.empty()) {
    const Entry entry = std::move(entries_.back());
    entries_.pop_back();
    if (auto undone = entry.undo(); !undone)
      failures.push_back("could not undo \"" + entry.what + "\": " + undone.error().what);
  }
  return failures;
}

namespace {

thread_local Clock::duration engine_time{0};

// One execution. A thread that ends a step goes on with one of the steps that became ready by it, so a chain of steps
// runs on one thread without a switch; the others get threads of their own.
class GraphRun {
 public:
  GraphRun(const Plan& plan, const Perform& perform, const std::stop_token& stop)
      : plan_(plan),
        perform_(perform),
        waiting_(plan.steps.size()),
        outside_(stop, [this] { source_.request_stop(); }) {
    out_.records.resize(plan.steps.size());
    for (std::size_t i = 0; i < plan.steps.size(); ++i) waiting_[i] = plan.steps[i].after.size();
  }

  Execution run(const std::stop_token& stop) {
    {
      std::unique_lock lock(mutex_);
      for (std::size_t i = 0; i < plan_.steps.size(); ++i)
        if (waiting_[i] == 0) spawn(i);
      done_.wait(lock, [this] { return active_ == 0; });
    }
    threads_.clear();  // joins
    if (!out_.failure && stop.stop_requested() && ended_ < plan_.steps.size())
      out_.failure = StepFailure{first_not_run(), Error{ErrorKind::cancelled, 0, "interrupted", {}}};
    return std::move(out_);
  }

 private:
  void spawn(std::size_t step) {
    ++active_;
    threads_.emplace_back([this, step] { work(step); });
  }

  void work(std::size_t first) {
    for (std::optional<std::size_t> step = first; step;) step = finish(*step, run_one(*step));
    const std::lock_guard lock(mutex_);
    if (--active_ == 0) done_.notify_one();
  }

  Result<void> run_one(std::size_t index) {
    const auto stop = source_.get_token();
    if (given_up(plan_.steps[index].resource)) return {};
    if (stop.stop_requested()) return Err{ErrorKind::cancelled, "interrupted"};
    auto& record = out_.records[index];
    record.begin = Clock::now();
    const auto engine_before = engine_time;
    auto result = perform_(plan_.steps[index], stop);
    record.engine = engine_time - engine_before;
    record.end = Clock::now();
    record.ran = true;
    return result;
  }

  // Books the result; returns a step for this thread to go on with.
  std::optional<std::size_t> finish(std::size_t index, Result<void> result) {
    const std::lock_guard lock(mutex_);
    const auto& step = plan_.steps[index];
    const bool cancelled = !result && result.error().kind == ErrorKind::cancelled;
    if (!result && step.optional && !cancelled) given_up_.insert(step.resource);
    if (!result && !step.tolerate && (!step.optional || cancelled)) {
      // A step that was cancelled because another failed says nothing new.
      const bool secondary = out_.failure && cancelled;
      if (!out_.failure || (out_.failure->error.kind == ErrorKind::cancelled && !secondary))
        out_.failure = StepFailure{index, std::move(result).error()};
      source_.request_stop();
      return std::nullopt;
    }
    if (!result) out_.warnings.push_back((step.optional ? "optional " : "") + result.error().what);
    ++ended_;
    std::optional<std::size_t> next;
    for (std::size_t i = 0; i < plan_.steps.size(); ++i) {
      const auto& after = plan_.steps[i].after;
      const auto mine = static_cast<std::size_t>(std::count(after.begin(), after.end(), index));
      if (mine == 0) continue;
      waiting_[i] -= mine;
      if (waiting_[i] != 0 || source_.stop_requested()) continue;
      if (next) {
        spawn(i);
      } else {
        next = i;
      }
    }
    return next;
  }

  // An optional resource of which a step has failed: its further steps are passed over.
  bool given_up(const std::string& resource) {
    const std::lock_guard lock(mutex_);
    return given_up_.contains(resource);
  }

  [[nodiscard]] std::size_t first_not_run() const {
    for (std::size_t i = 0; i < out_.records.size(); ++i)
      if (!out_.records[i].ran) return i;
    return 0;
  }

  const Plan& plan_;
  const Perform& perform_;
  std::vector<std::size_t> waiting_;  // dependencies that have not ended
  std::stop_source source_;
  std::stop_callback<std::function<void()>> outside_;
  std::mutex mutex_;
  std::condition_variable done_;
  std::set<std::string> given_up_;
  std::size_t active_ = 0;  // threads
  std::size_t ended_ = 0;   // steps that ended well
  Execution out_;
  std::vector<std::jthread> threads_;
};

}  // namespace

Execution execute(const Plan& plan, const Perform& perform, const std::stop_token& stop) {
  return GraphRun(plan, perform, stop).run(stop);
}

std::vector<std::size_t> critical_path(const Plan& plan, const Execution& execution) {
  // Of two steps the one that ended later decided; plan.steps.size() stands for none.
  const std::size_t none = plan.steps.size();
  const auto later = [&](std::size_t one, std::size_t other) {
    if (!execution.records[other].ran) return one;
    return one == none || execution.records[other].end > execution.records[one].end ? other : one;
  };
  std::size_t at = none;
  for (std::size_t i = 0; i < plan.steps.size(); ++i)
    if (!plan.steps[i].tolerate) at = later(at, i);
  std::vector<std::size_t> path;
  while (at != none) {
    path.push_back(at);
    std::size_t decisive = none;
    for (const std::size_t before : plan.steps[at].after) decisive = later(decisive, before);
    at = decisive;
  }
  std::reverse(path.begin(), path.end());
  return path;
}

Clock::duration EngineTime::of_this_thread() { return engine_time; }

EngineTime::Span::~Span() { engine_time += Clock::now() - begin; }

}  // namespace plumb
