// StopEvent: a descriptor that becomes readable when a stop is requested, so that a wait in poll(2) ends at once.
//
// For this layer only. Threads: the stop may be requested on any thread. Privilege: none.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <stop_token>
#include <string_view>

#include "specs/value/result.h"
#include "specs/value/unique_fd.h"

namespace plumb::netns {

class StopEvent {
 public:
  // Errors: EMFILE. A token that can never be stopped costs no descriptor.
  [[nodiscard]] static Result<StopEvent> open(std::stop_token token);

  enum class Woken { readable, deadline };
  // Waits until `fd` is readable (or has an error to be read). Errors: cancelled, with the sentence "<operation>:
  // stopped".
  [[nodiscard]] Result<Woken> wait(int fd, std::chrono::steady_clock::time_point deadline,
                                   std::string_view operation) const;

 private:
  using Callback = std::stop_callback<std::function<void()>>;
  UniqueFd event_;
  std::unique_ptr<Callback> callback_;  // destroyed before event_, which it writes to
};

}  // namespace plumb::netns
