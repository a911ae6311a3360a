#include "plugin/command/engine_lanes.h"

#include <algorithm>
#include <cerrno>
#include <map>
#include <mutex>
#include <thread>

#include "plugin/engine/service_engine.h"

namespace plumb {

namespace {

class Lane {
 public:
  Lane(std::string engine, const std::function<std::optional<Error>(std::size_t)>& work)
      : engine_(std::move(engine)), work_(work) {}

  void add(std::size_t index) { indices_.push_back(index); }

  void begin() {
    threads_.resize(std::min(indices_.size(), kAtOnceOfOneEngine));
    for (auto& thread : threads_) thread = std::jthread([this] { go(); });
  }

 private:
  void go() {
    for (std::unique_lock lock(mutex_); next_ < indices_.size();) {
      const std::size_t index = indices_[next_++];
      lock.unlock();
      const auto error = work_(index);
      lock.lock();
      // The engine's, and not the service's: no request of another kind has this code (docker_client/connection.h).
      const bool silent = error && error->kind == ErrorKind::timeout && error->code == ETIMEDOUT;
      unanswered_ = silent ? unanswered_ + 1 : 0;
      if (unanswered_ == kAtOnceOfOneEngine && !engine_.empty()) take_as_hung(engine_, *error);
    }
  }

  std::string engine_;
  const std::function<std::optional<Error>(std::size_t)>& work_;
  std::vector<std::size_t> indices_;
  std::mutex mutex_;
  std::size_t next_ = 0;
  std::size_t unanswered_ = 0;         // in a row
  std::vector<std::jthread> threads_;  // last: they use the others until they are joined
};

}  // namespace

std::string lane_of(const Service& service) {
  return needs_engine(service) ? ServiceEngine(service).socket().value_or({}) : std::string();
}

void run_in_lanes(const std::vector<std::string>& engines,
                  const std::function<std::optional<Error>(std::size_t)>& work) {
  std::map<std::string, Lane> lanes;
  for (std::size_t i = 0; i < engines.size(); ++i) lanes.try_emplace(engines[i], engines[i], work).first->second.add(i);
  // A node that runs that many engines can have a few threads for each.
  for (auto& [engine, lane] : lanes) lane.begin();
}

}  // namespace plumb
