// Signals: SIGINT, SIGTERM and SIGHUP as a stop request, so that a verb undoes what it did before the process ends.
//
// The second signal ends the process as it always would. Threads: make one, in main, before other threads: they inherit
// the blocked mask. Privilege: none.
#pragma once

#include <stop_token>
#include <thread>

namespace plumb {

class Signals {
 public:
  Signals();
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;
  [[nodiscard]] std::stop_token stop() const { return source_.get_token(); }

 private:
  std::stop_source source_;
  std::jthread thread_;
};

}  // namespace plumb
