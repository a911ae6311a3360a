#include "netns/namespace/process.h"

#include <poll.h>
extern "C" {  // glibc 2.36 forgot it
#include <sys/pidfd.h>
}

#include <cerrno>
#include <string>

#include "netns/namespace/stop_event.h"

namespace plumb::netns {

Result<Process> Process::open(pid_t pid) {
  UniqueFd fd(::pidfd_open(pid, 0));
  if (fd) return Process(pid, std::move(fd));
  // EINVAL is pidfd_open's word for a number that can be no process (0, negative) or is a thread.
  if (errno == ESRCH || errno == EINVAL)
    return Err{ErrorKind::not_found, "open process " + std::to_string(pid) + ": there is no such process", {}, ESRCH};
  return Err{errno_error(errno, "open process " + std::to_string(pid))};
}

bool Process::alive() const {
  pollfd entry{fd_.get(), POLLIN, 0};
  return ::poll(&entry, 1, 0) == 0;
}

Result<void> Process::signal(int sig) const {
  if (::pidfd_send_signal(fd_.get(), sig, nullptr, 0) == 0) return {};
  return Err{errno_error(errno, "send signal " + std::to_string(sig) + " to process " + std::to_string(pid_))};
}

Result<void> Process::wait(std::chrono::steady_clock::time_point deadline, std::stop_token stop) const {
  const std::string operation = "wait for the end of process " + std::to_string(pid_);
  const auto event = TRY(StopEvent::open(std::move(stop)));
  if (TRY(event.wait(fd_.get(), deadline, operation)) == StopEvent::Woken::readable) return {};
  return Err{ErrorKind::timeout, operation + ": it is still running", {}, ETIMEDOUT};
}

}  // namespace plumb::netns
