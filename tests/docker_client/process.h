// Process: a program that a test runs in a network namespace, ended by its pid when the owner goes.
//
// Threads: one at a time. Privilege: root (CLONE_NEWNET, setns).
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <vector>

#include "specs/value/result.h"
#include "specs/value/unique_fd.h"

namespace plumb::test {

// A new network namespace with its loopback up; the descriptor pins it.
[[nodiscard]] Result<UniqueFd> make_netns();

struct ProcessOptions {
  std::vector<std::string> argv;         // argv[0] is looked for in PATH
  std::vector<std::string> environment;  // "NAME=value", added to that of the test
  int netns = -1;                        // the namespace to run in; -1: the test's own
  std::string output;                    // file that takes stdout and stderr, appended
  int output_fd = -1;                    // takes them instead of a file
  int stdin_fd = -1;                     // becomes descriptor 0
  int listen_fd = -1;                    // becomes descriptor 3, handed over as systemd does (sd_listen_fds)
};

class Process {
 public:
  [[nodiscard]] static Result<Process> start(const ProcessOptions& options);
  Process(Process&& other) noexcept;
  Process& operator=(Process&& other) noexcept;
  ~Process();

  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] int pidfd() const { return pidfd_.get(); }  // readable once the process has ended
  [[nodiscard]] bool running() const { return pid_ > 0; }
  void signal(int number) const;
  // Waits for the end; false when the patience is over.
  bool wait(std::chrono::milliseconds patience);
  // SIGTERM, and SIGKILL when that takes more than half a minute.
  void stop();
  void kill();  // SIGKILL

 private:
  Process(pid_t pid, UniqueFd pidfd) : pid_(pid), pidfd_(std::move(pidfd)) {}
  pid_t pid_ = 0;
  UniqueFd pidfd_;
};

}  // namespace plumb::test
