#include "netns/namespace/stop_event.h"

#include <poll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>

namespace plumb::netns {

Result<StopEvent> StopEvent::open(std::stop_token token) {
  StopEvent out;
  if (!token.stop_possible()) return out;
  out.event_ = UniqueFd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!out.event_) return Err{errno_error(errno, "make an eventfd")};
  out.callback_ = std::make_unique<Callback>(std::move(token), [fd = out.event_.get()] {
    // Cannot fail: the counter of a fresh eventfd is far from its maximum.
    [[maybe_unused]] const int written = ::eventfd_write(fd, 1);
  });
  return out;
}

Result<StopEvent::Woken> StopEvent::wait(int fd, std::chrono::steady_clock::time_point deadline,
                                         std::string_view operation) const {
  using std::chrono::nanoseconds;
  for (;;) {
    const auto left = std::max<nanoseconds>(deadline - std::chrono::steady_clock::now(), nanoseconds{0});
    const timespec timeout{static_cast<time_t>(left.count() / 1'000'000'000),
                           static_cast<long>(left.count() % 1'000'000'000)};
    std::array<pollfd, 2> entries{{{fd, POLLIN, 0}, {event_.get(), POLLIN, 0}}};  // poll ignores a negative descriptor
    const int ready = ::ppoll(entries.data(), entries.size(), &timeout, nullptr);
    if (ready < 0 && errno != EINTR) return Err{errno_error(errno, std::string(operation) + ": poll")};
    if (ready < 0) continue;
    if (entries[1].revents != 0) return Err{ErrorKind::cancelled, std::string(operation) + ": stopped", {}, ECANCELED};
    if (entries[0].revents != 0) return Woken::readable;
    if (left == nanoseconds{0}) return Woken::deadline;
  }
}

}  // namespace plumb::netns
