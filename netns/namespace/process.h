// Process: a process held by a pidfd, so that a signal never reaches another process that got its number later.
//
// Threads: a value; const members may be used from any thread. Privilege: signal() needs kill(2)'s permission; the rest
// none.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <stop_token>

#include "specs/value/result.h"
#include "specs/value/unique_fd.h"

namespace plumb::netns {

class Process {
 public:
  // The process that has the number `pid` (> 0) now (pidfd_open(2)). Errors: not_found, unsupported (Linux before 5.3).
  [[nodiscard]] static Result<Process> open(pid_t pid);

  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] int fd() const { return fd_.get(); }  // readable once the process has ended (pidfd_open(2))
  // Whether it runs still. A zombie does not.
  [[nodiscard]] bool alive() const;
  // Sends `sig` to exactly this process (pidfd_send_signal(2)). Errors: not_found when it ended, permission.
  [[nodiscard]] Result<void> signal(int sig) const;
  // Waits until it has ended. Errors: timeout at `deadline`, cancelled when `stop` is requested.
  [[nodiscard]] Result<void> wait(std::chrono::steady_clock::time_point deadline, std::stop_token stop = {}) const;

 private:
  Process(pid_t pid, UniqueFd fd) : pid_(pid), fd_(std::move(fd)) {}
  pid_t pid_;
  UniqueFd fd_;
};

}  // namespace plumb::netns
