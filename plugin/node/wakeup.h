// Wakeup: a descriptor that becomes readable when a stop is requested, for poll(2) loops.
//
// Threads: the stop may come from any thread. Privilege: none.
#pragma once

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>
#include <functional>
#include <stop_token>

#include "specs/value/unique_fd.h"

namespace plumb {

class Wakeup {
 public:
  explicit Wakeup(const std::stop_token& stop)
      : fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)), callback_(stop, [this] {
          const std::uint64_t one = 1;
          [[maybe_unused]] const auto written = ::write(fd_.get(), &one, sizeof one);
        }) {}
  [[nodiscard]] int fd() const { return fd_.get(); }

 private:
  UniqueFd fd_;
  std::stop_callback<std::function<void()>> callback_;
};

}  // namespace plumb
