#include "plugin/node/detached.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "specs/value/unique_fd.h"

namespace plumb {

void detach_process(std::vector<int> keep) {
  std::sort(keep.begin(), keep.end());
  unsigned next = STDERR_FILENO + 1;
  for (const int fd : keep) {
    const auto kept = static_cast<unsigned>(fd);
    if (kept > next) ::close_range(next, kept - 1, 0);
    next = kept + 1;
  }
  ::close_range(next, ~0U, 0);
  ::setsid();
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  const UniqueFd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::dup2(null.get(), fd);
}

}  // namespace plumb
