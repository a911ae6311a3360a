// PullProgress: what a person sees while images are pulled. One line that is rewritten on a terminal, one line at the
// begin and one at the end elsewhere.
//
// Threads: the callback may come from several at once. Privilege: none.
#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <string>

#include "plugin/verb/actions.h"

namespace plumb {

class PullProgress {
 public:
  explicit PullProgress(bool quiet);
  ~PullProgress();
  PullProgress(const PullProgress&) = delete;
  PullProgress& operator=(const PullProgress&) = delete;
  [[nodiscard]] OnPull callback();

 private:
  struct Layer {
    std::int64_t current = 0;
    std::int64_t total = 0;
  };
  void show(const std::string& image, const docker::PullProgress& progress);

  bool quiet_;
  bool terminal_;
  bool line_open_ = false;
  std::mutex mutex_;
  std::map<std::string, std::map<std::string, Layer>> images_;
  std::chrono::steady_clock::time_point shown_;
};

}  // namespace plumb
