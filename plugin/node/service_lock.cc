#include "plugin/node/service_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
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

// The file: the generation of the last verb, what follows it once that verb has come to its end, and who holds the
// lock.
constexpr std::string_view kFinished = "finished\n";
constexpr std::size_t kHolderAt = 64;
static_assert(std::tuple_size_v<Generation> + kFinished.size() <= kHolderAt);

bool left_unfinished(int fd) {
  std::array<char, std::tuple_size_v<Generation> + kFinished.size()> text{};
  const auto size = ::pread(fd, text.data(), text.size(), 0);
  if (size <= 0 || text[0] == '\0') return false;  // no verb has begun yet
  return !std::string_view(text.data(), static_cast<std::size_t>(size)).ends_with(kFinished);
}

Generation new_generation() {
  Generation out{};
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  std::snprintf(out.data(), out.size(), "%d %lld.%09ld\n", static_cast<int>(::getpid()),
                static_cast<long long>(now.tv_sec), now.tv_nsec);
  return out;
}

// "start (pid 4711)"
std::string holder_text(std::string_view holder) {
  return std::string(holder) + " (pid " + std::to_string(::getpid()) + ")\n";
}

std::string read_holder(int fd) {
  std::array<char, 64> text{};
  const auto size = ::pread(fd, text.data(), text.size(), kHolderAt);
  const std::string_view read(text.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
  const auto end = read.find('\n');
  return end == std::string_view::npos ? std::string("another verb") : std::string(read.substr(0, end));
}

}  // namespace

Generation current_generation(const char* path) {
  Generation now{};
  const UniqueFd file(::open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file || ::pread(file.get(), now.data(), now.size(), 0) != static_cast<ssize_t>(now.size())) return {};
  return now;
}

Result<ServiceLock> ServiceLock::hold(const std::string& service, std::string_view holder, Wait wait) {
  std::string path = TRY(run_directory()) + "/" + service + ".lock";
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd) {
    Error error = errno_error(errno, "open " + path);
    if (error.kind == ErrorKind::permission) error.next = "run it as root";
    return Err{std::move(error)};
  }
  ServiceLock out(std::move(fd), path, holder_text(holder));
  if (::flock(out.fd_.get(), LOCK_EX | LOCK_NB) != 0) {
    // An announcer holds it for microseconds; another verb for as long as it takes.
    const std::string other = read_holder(out.fd_.get());
    if (::flock(out.fd_.get(), LOCK_EX | LOCK_NB) != 0) {
      out.waited_ = true;
      if (wait == Wait::said)
        std::fprintf(stderr, "plumb: waiting for plumb %s to be done with %s\n", other.c_str(), service.c_str());
      while (::flock(out.fd_.get(), LOCK_EX) != 0)
        if (errno != EINTR) return Err{errno_error(errno, "lock " + path)};
    }
  }
  out.after_a_kill_ = left_unfinished(out.fd_.get());
  const auto size = static_cast<ssize_t>(out.holder_.size());
  if (::pwrite(out.fd_.get(), out.holder_.data(), out.holder_.size(), kHolderAt) != size)
    return Err{errno_error(errno, "write " + path)};
  return out;
}

Result<ServiceLock> ServiceLock::hold(const std::string& service, std::string_view holder) {
  return hold(service, holder, Wait::silent);
}

Result<ServiceLock> ServiceLock::take(const std::string& service, std::string_view holder) {
  auto out = TRY(hold(service, holder, Wait::said));
  TRY(out.begin());
  return out;
}

Result<void> ServiceLock::begin() {
  generation_ = new_generation();
  std::string text(generation_.begin(), generation_.end());
  text.resize(kHolderAt);
  text += holder_;
  if (::ftruncate(fd_.get(), 0) != 0 ||
      ::pwrite(fd_.get(), text.data(), text.size(), 0) != static_cast<ssize_t>(text.size()))
    return Err{errno_error(errno, "write " + path_)};
  return {};
}

void ServiceLock::finish() const {
  // A failure makes the next verb look twice, no more.
  [[maybe_unused]] const auto written =
      ::pwrite(fd_.get(), kFinished.data(), kFinished.size(), std::tuple_size_v<Generation>);
}

}  // namespace plumb
