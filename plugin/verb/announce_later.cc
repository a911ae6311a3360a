#include "plugin/verb/announce_later.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>

#include "plugin/node/detached.h"

namespace plumb {

namespace {

// One round, sent under a share of the service's lock, so that no verb can withdraw the address meanwhile. False:
// another verb has come since, or the devices are gone, and there is no further round.
bool send_round(std::vector<Claimed>& claimed, unsigned round, const char* lock_path, const Generation& generation) {
  const UniqueFd lock(::open(lock_path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!lock) return false;
  const bool held = ::flock(lock.get(), LOCK_SH | LOCK_NB) == 0;
  Generation now{};
  if (::pread(lock.get(), now.data(), now.size(), 0) != static_cast<ssize_t>(now.size()) || now != generation)
    return false;
  // The watcher looks at the service, or a verb begins: this round is left out, and the next one knows more.
  if (!held) return true;
  unsigned frames = 0;
  for (auto& c : claimed)
    if (round < c.policy.count) frames += c.announcer.send();
  return frames > 0;
}

// Waits for the time to pass, or for the next verb: it writes its generation into the lock file when it begins. False:
// there is one, and nothing is ours to announce any more.
bool wait_for_round(milliseconds time, int watch, const char* lock_path, const Generation& generation) {
  const auto until = Clock::now() + time;
  for (;;) {
    const auto left = std::chrono::ceil<milliseconds>(until - Clock::now());
    if (left.count() <= 0) return true;
    pollfd changed{watch, POLLIN, 0};
    if (::poll(&changed, 1, static_cast<int>(left.count())) <= 0) continue;
    std::array<char, 1024> drained{};
    [[maybe_unused]] const auto size = ::read(watch, drained.data(), drained.size());
    if (current_generation(lock_path) != generation) return false;
  }
}

[[noreturn]] void run_child(std::vector<Claimed>& claimed, unsigned rounds, milliseconds interval,
                            const std::string& lock_path, const Generation& generation) {
  const UniqueFd watch(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  ::inotify_add_watch(watch.get(), lock_path.c_str(), IN_MODIFY | IN_DELETE_SELF);
  for (unsigned round = 1; round < rounds; ++round) {
    if (!wait_for_round(interval, watch.get(), lock_path.c_str(), generation)) break;
    if (!send_round(claimed, round, lock_path.c_str(), generation)) break;
  }
  ::_exit(0);
}

}  // namespace

void announce_later(std::vector<Claimed> claimed, const ServiceLock& lock) {
  unsigned rounds = 0;
  milliseconds interval{0};
  std::vector<int> keep;
  for (const auto& c : claimed) {
    keep.push_back(c.announcer.fd());
    rounds = std::max(rounds, c.policy.count);
    interval = std::max(interval, c.policy.interval);
  }
  if (rounds < 2) return;
  if (::fork() != 0) return;
  detach_process(std::move(keep));
  run_child(claimed, rounds, interval, lock.path(), lock.generation());
}

}  // namespace plumb
