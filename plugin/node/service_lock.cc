#include "plugin/node/service_lock.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <string_view>
#include <tuple>

#include "plugin/node/service_state.h"

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

// The file: the generation of the last verb, what follows it once that verb has come to its end, who holds the lock,
// and who waits and asks that one to give up; the next verb begins with an empty file.
constexpr std::string_view kFinished = "finished\n";
constexpr std::size_t kHolderAt = 64;
constexpr std::size_t kWishAt = 128;
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

// nullopt: there is none.
std::optional<std::string> read_line_at(int fd, off_t offset) {
  std::array<char, 64> text{};
  const auto size = ::pread(fd, text.data(), text.size(), offset);
  const std::string_view read(text.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
  const auto end = read.find('\n');
  if (end == std::string_view::npos || read[0] == '\0') return std::nullopt;
  return std::string(read.substr(0, end));
}

// Signals the calling thread at a time, and again each 100 ms, as long as it lives.
class Alarm {
 public:
  explicit Alarm(std::chrono::steady_clock::time_point at) {
    struct sigaction nothing {};
    nothing.sa_handler = [](int) {};
    ::sigaction(SIGRTMIN, &nothing, &before_);
    sigevent event{};
    event.sigev_notify = SIGEV_THREAD_ID;
    event.sigev_signo = SIGRTMIN;
    event._sigev_un._tid = ::gettid();
    made_ = ::timer_create(CLOCK_MONOTONIC, &event, &timer_) == 0;
    const auto left =
        std::max<std::int64_t>(1, std::chrono::nanoseconds(at - std::chrono::steady_clock::now()).count());
    constexpr std::int64_t kSecond = 1'000'000'000;
    const itimerspec when{{0, kSecond / 10}, {left / kSecond, left % kSecond}};
    if (made_) ::timer_settime(timer_, 0, &when, nullptr);
  }
  ~Alarm() {
    if (made_) ::timer_delete(timer_);
    ::sigaction(SIGRTMIN, &before_, nullptr);
  }
  Alarm(const Alarm&) = delete;
  Alarm& operator=(const Alarm&) = delete;

 private:
  struct sigaction before_ {};
  timer_t timer_{};
  bool made_ = false;
};

}  // namespace

Generation current_generation(const char* path) {
  Generation now{};
  const UniqueFd file(::open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file || ::pread(file.get(), now.data(), now.size(), 0) != static_cast<ssize_t>(now.size())) return {};
  return now;
}

Result<ServiceLock> ServiceLock::hold(const std::string& service, std::string_view holder, Words words,
                                      const LockWait& wait) {
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
    const std::string other = read_line_at(out.fd_.get(), kHolderAt).value_or("another verb");
    if (::flock(out.fd_.get(), LOCK_EX | LOCK_NB) != 0) {
      out.waited_ = true;
      if (words == Words::said)
        std::fprintf(stderr, "plumb: waiting for plumb %s to be done with %s\n", other.c_str(), service.c_str());
      TRY(out.await(service, wait));
    }
  }
  // Not before: who had the lock may have been a later plumb.
  TRY(check_state(service));
  out.after_a_kill_ = left_unfinished(out.fd_.get());
  const auto size = static_cast<ssize_t>(out.holder_.size());
  if (::pwrite(out.fd_.get(), out.holder_.data(), out.holder_.size(), kHolderAt) != size)
    return Err{errno_error(errno, "write " + path)};
  return out;
}

// flock(2) knows no time limit: a signal ends it then, and once more each 100 ms, should it come just before the call.
Result<void> ServiceLock::await(const std::string& service, const LockWait& wait) {
  if (wait.interrupts)
    if (::pwrite(fd_.get(), holder_.data(), holder_.size(), kWishAt) != static_cast<ssize_t>(holder_.size()))
      return Err{errno_error(errno, "write " + path_)};
  std::optional<Alarm> alarm;
  if (wait.until) alarm.emplace(*wait.until);
  while (::flock(fd_.get(), LOCK_EX) != 0) {
    if (errno != EINTR) return Err{errno_error(errno, "lock " + path_)};
    if (wait.until && std::chrono::steady_clock::now() >= *wait.until)
      return Err{
          ErrorKind::timeout,
          "plumb " + read_line_at(fd_.get(), kHolderAt).value_or("another verb") + " is not done with " + service,
          "see what it waits for"};
  }
  return {};
}

Result<ServiceLock> ServiceLock::hold(const std::string& service, std::string_view holder) {
  return hold(service, holder, Words::silent, {});
}

Result<ServiceLock> ServiceLock::take(const std::string& service, std::string_view holder, const LockWait& wait) {
  auto out = TRY(hold(service, holder, Words::said, wait));
  TRY(out.begin());
  return out;
}

Interruption::Interruption(const ServiceLock& lock, const std::stop_token& outer)
    : path_(lock.path()),
      events_(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      outer_(outer, [this] { source_.request_stop(); }) {
  if (!events_ || !wake_ || ::inotify_add_watch(events_.get(), path_.c_str(), IN_MODIFY) < 0) return;
  thread_ = std::jthread([this](const std::stop_token& end) { listen(end); });
}

std::string Interruption::by() const {
  const std::lock_guard lock(mutex_);
  return by_;
}

void Interruption::listen(const std::stop_token& end) {
  const std::stop_callback woken(end, [this] { ::eventfd_write(wake_.get(), 1); });
  const UniqueFd file(::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  // Somebody may have asked before anybody listened.
  while (file && !end.stop_requested()) {
    if (auto wish = read_line_at(file.get(), kWishAt)) {
      {
        const std::lock_guard lock(mutex_);
        by_ = *std::move(wish);
      }
      source_.request_stop();
      return;
    }
    std::array<pollfd, 2> waiting{{{events_.get(), POLLIN, 0}, {wake_.get(), POLLIN, 0}}};
    ::poll(waiting.data(), waiting.size(), -1);
    std::array<char, 4096> read{};
    while (::read(events_.get(), read.data(), read.size()) > 0) {
    }
  }
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
