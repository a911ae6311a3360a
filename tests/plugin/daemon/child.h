// A child process for what changes a process for good: capabilities, mount namespaces, inherited descriptors.
//
// Threads: one. Privilege: none.
#pragma once

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <functional>
#include <string>

namespace plumb::test {

// What `function` returned in a child of this process; "ended by signal N" where it crashed.
inline std::string in_child(const std::function<std::string()>& function) {
  constexpr int kFar = 100;  // out of the way of descriptors that a test puts at low numbers
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return "no pipe";
  const pid_t pid = ::fork();
  if (pid < 0) return "no child";
  if (pid == 0) {
    ::dup3(ends[1], kFar, O_CLOEXEC);
    ::close(ends[0]);
    ::close(ends[1]);
    const std::string said = function();
    const auto written = ::write(kFar, said.data(), said.size());
    ::_exit(written == static_cast<ssize_t>(said.size()) ? 0 : 1);
  }
  ::close(ends[1]);
  std::string out;
  std::array<char, 512> buffer{};
  for (ssize_t got = 1; got > 0;) {
    got = ::read(ends[0], buffer.data(), buffer.size());
    if (got > 0) out.append(buffer.data(), static_cast<std::size_t>(got));
  }
  ::close(ends[0]);
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFSIGNALED(status) ? "ended by signal " + std::to_string(WTERMSIG(status)) : out;
}

}  // namespace plumb::test
