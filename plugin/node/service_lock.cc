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

using SteadyTime = std::chrono::steady_clock::time_point;

// Ends an flock(2) of the calling thread, which knows neither a time limit nor a stop, by a signal of the kernel's
// (SIGRTMIN): at a time, or at a stop, and again each 100 ms as long as it lives, should it come just before the call.
class Alarm {
 public:
  Alarm(std::optional<SteadyTime> at, const std::stop_token& stop) {
    // For good: other threads may be about to be signalled.
    static const bool handled = [] {
      struct sigaction nothing {};
      nothing.sa_handler = [](int) {};
      return ::sigaction(SIGRTMIN, &nothing, nullptr) == 0;
    }();
    sigevent event{};
    event.sigev_notify = SIGEV_THREAD_ID;
    event.sigev_signo = SIGRTMIN;
    event._sigev_un._tid = ::gettid();
    made_ = handled && ::timer_create(CLOCK_MONOTONIC, &event, &timer_) == 0;
    if (at) set(std::max<std::int64_t>(1, std::chrono::nanoseconds(*at - std::chrono::steady_clock::now()).count()));
    if (stop.stop_possible()) stopped_.emplace(stop, [this] { set(1); });
  }
  ~Alarm() {
    stopped_.reset();
    if (made_) ::timer_delete(timer_);
  }
  Alarm(const Alarm&) = delete;
  Alarm& operator=(const Alarm&) = delete;

 private:
  void set(std::int64_t nanoseconds) const {
    constexpr std::int64_t kSecond = 1'000'000'000;
    const itimerspec when{{0, kSecond / 10}, {nanoseconds / kSecond, nanoseconds % kSecond}};
    if (made_) ::timer_settime(timer_, 0, &when, nullptr);
  }
  timer_t timer_{};
  bool made_ = false;
  std::optional<std::stop_callback<std::function<void()>>> stopped_;
};

// EINTR: when the time has come, or the stop.
int wait_for_flock(int fd, int operation, std::optional<SteadyTime> until, const std::stop_token& stop) {
  std::optional<Alarm> alarm;
  if (until || stop.stop_possible()) alarm.emplace(until, stop);
  while (::flock(fd, operation) != 0) {
    if (errno != EINTR) return errno;
    if (stop.stop_requested() || (until && std::chrono::steady_clock::now() >= *until)) return EINTR;
  }
  return 0;
}

Error given_up(const std::string& path) { return {ErrorKind::cancelled, 0, "wait for " + path + ": interrupted", {}}; }

}  // namespace

Generation current_generation(const char* path) {
  Generation now{};
  const UniqueFd file(::open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file || ::pread(file.get(), now.data(), now.size(), 0) != static_cast<ssize_t>(now.size())) return {};
  return now;
}

Result<UniqueFd> lock_node_links(const std::stop_token& stop) {
  const std::string path = TRY(run_directory()) + "/.node-links.lock";
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd) return Err{errno_error(errno, "open " + path)};
  const int failed = wait_for_flock(fd.get(), LOCK_EX, {}, stop);
  if (failed == EINTR) return Err{given_up(path)};
  if (failed != 0) return Err{errno_error(failed, "lock " + path)};
  return fd;
}

Result<ServiceLock> ServiceLock::open(const std::string& service, std::string_view holder) {
  std::string path = TRY(run_directory()) + "/" + service + ".lock";
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (fd) return ServiceLock(std::move(fd), path, holder_text(holder));
  Error error = errno_error(errno, "open " + path);
  if (error.kind == ErrorKind::permission) error.next = "run it as root";
  return Err{std::move(error)};
}

// Twice: an announcer holds it for microseconds; another verb for as long as it takes.
bool ServiceLock::try_lock() const {
  return ::flock(fd_.get(), LOCK_EX | LOCK_NB) == 0 || ::flock(fd_.get(), LOCK_EX | LOCK_NB) == 0;
}

Result<void> ServiceLock::await(const std::string& service, const LockWait& wait) {
  if (wait.interrupts)
    if (::pwrite(fd_.get(), holder_.data(), holder_.size(), kWishAt) != static_cast<ssize_t>(holder_.size()))
      return Err{errno_error(errno, "write " + path_)};
  const int failed = wait_for_flock(fd_.get(), LOCK_EX, wait.until, wait.stop);
  if (failed == EINTR && wait.stop.stop_requested()) return Err{given_up(path_)};
  if (failed == EINTR)
    return Err{ErrorKind::timeout,
               "plumb " + read_line_at(fd_.get(), kHolderAt).value_or("another verb") + " is not done with " + service,
               "see what it waits for"};
  if (failed != 0) return Err{errno_error(failed, "lock " + path_)};
  return {};
}

// Says who has it, who is the caller by now.
Result<void> ServiceLock::sign(const std::string& service) {
  // Not before: who had the lock may have been a later plumb.
  TRY(check_state(service));
  after_a_kill_ = left_unfinished(fd_.get());
  if (::pwrite(fd_.get(), holder_.data(), holder_.size(), kHolderAt) != static_cast<ssize_t>(holder_.size()))
    return Err{errno_error(errno, "write " + path_)};
  return {};
}

Result<std::optional<ServiceLock>> ServiceLock::try_hold(const std::string& service, std::string_view holder) {
  std::optional<ServiceLock> out(TRY(open(service, holder)));
  if (!out->try_lock()) return std::optional<ServiceLock>();
  TRY(out->sign(service));
  return out;
}

Result<void> ServiceLock::wait_until_free(const std::string& service, const std::stop_token& stop) {
  const auto lock = TRY(open(service, {}));
  const int failed = wait_for_flock(lock.fd_.get(), LOCK_SH, {}, stop);
  if (failed == EINTR) return Err{given_up(lock.path_)};
  if (failed != 0) return Err{errno_error(failed, "lock " + lock.path_)};
  return {};
}

Result<ServiceLock> ServiceLock::take(const std::string& service, std::string_view holder, const LockWait& wait) {
  auto out = TRY(open(service, holder));
  if (!out.try_lock()) {
    const std::string other = read_line_at(out.fd_.get(), kHolderAt).value_or("another verb");
    if (!out.try_lock()) {
      std::fprintf(stderr, "plumb: waiting for plumb %s to be done with %s\n", other.c_str(), service.c_str());
      TRY(out.await(service, wait));
    }
  }
  TRY(out.sign(service));
  TRY(out.begin());
  return out;
}

int ServiceLock::changes() const {
  if (!changes_) {
    UniqueFd opened(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
    if (opened && ::inotify_add_watch(opened.get(), path_.c_str(), IN_MODIFY | IN_DELETE_SELF) >= 0)
      changes_ = std::move(opened);
  }
  return changes_.get();
}

Interruption::Interruption(const ServiceLock& lock, const std::stop_token& outer)
    : path_(lock.path()),
      events_(lock.changes()),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      outer_(outer, [this] { source_.request_stop(); }) {
  if (events_ < 0 || !wake_) return;
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
    std::array<pollfd, 2> waiting{{{events_, POLLIN, 0}, {wake_.get(), POLLIN, 0}}};
    ::poll(waiting.data(), waiting.size(), -1);
    std::array<char, 4096> read{};
    while (::read(events_, read.data(), read.size()) > 0) {
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
