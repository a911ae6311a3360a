#include "plugin/service_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string_view>
#include <tuple>

namespace plumb {

Result<UniqueFd> lock_node_links() {
  const std::string path = TRY(run_directory()) + "/.node-links.lock";
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd) return Err{errno_error(errno, "open " + path)};
  while (::flock(fd.get(), LOCK_EX) != 0)
    if (errno != EINTR) return Err{errno_error(errno, "lock " + path)};
  return fd;
}

Result<std::string> run_directory() {
  const std::string path = "/run/plumb";
  if (::mkdir(path.c_str(), 0711) != 0 && errno != EEXIST) {
    Error error = errno_error(errno, "make directory " + path);
    if (error.kind == ErrorKind::permission) error.next = "run it as root";
    return Err{std::move(error)};
  }
  return path;
}

namespace {

// Follows the generation in the file once its verb has come to its end.
constexpr std::string_view finished = "finished\n";

bool left_unfinished(int fd) {
  std::array<char, std::tuple_size_v<Generation> + finished.size()> text{};
  const auto size = ::pread(fd, text.data(), text.size(), 0);
  if (size <= 0) return false;
  return !std::string_view(text.data(), static_cast<std::size_t>(size)).ends_with(finished);
}

Generation new_generation() {
  Generation out{};
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  std::snprintf(out.data(), out.size(), "%d %lld.%09ld\n", static_cast<int>(::getpid()),
                static_cast<long long>(now.tv_sec), now.tv_nsec);
  return out;
}

}  // namespace

Result<ServiceLock> ServiceLock::take(const std::string& service) {
  std::string path = TRY(run_directory()) + "/" + service + ".lock";
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd) {
    Error error = errno_error(errno, "open " + path);
    if (error.kind == ErrorKind::permission) error.next = "run it as root";
    return Err{std::move(error)};
  }
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    // An announcer holds it for microseconds; another verb for as long as it takes.
    std::array<char, 32> holder{};
    if (::pread(fd.get(), holder.data(), holder.size() - 1, 0) > 0 && ::flock(fd.get(), LOCK_EX | LOCK_NB) != 0)
      std::fprintf(stderr, "plumb: waiting for another plumb (pid %d) to be done with %s\n",
                   static_cast<int>(std::strtol(holder.data(), nullptr, 10)), service.c_str());
    while (::flock(fd.get(), LOCK_EX) != 0)
      if (errno != EINTR) return Err{errno_error(errno, "lock " + path)};
  }
  const bool after_a_kill = left_unfinished(fd.get());
  const Generation generation = new_generation();
  if (::ftruncate(fd.get(), 0) != 0 ||
      ::pwrite(fd.get(), generation.data(), generation.size(), 0) != static_cast<ssize_t>(generation.size()))
    return Err{errno_error(errno, "write " + path)};
  return ServiceLock(std::move(fd), std::move(path), generation, after_a_kill);
}

void ServiceLock::finish() const {
  // A failure makes the next verb look twice, no more.
  [[maybe_unused]] const auto written =
      ::pwrite(fd_.get(), finished.data(), finished.size(), std::tuple_size_v<Generation>);
}

}  // namespace plumb
