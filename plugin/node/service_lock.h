// ServiceLock: one verb at a time for each service on a node, and a generation that tells a later verb from an earlier.
//
// An flock(2) on /run/plumb/SERVICE.lock: the kernel drops it with its holder, so a killed verb never blocks the next.
// The file says who holds it, for who waits.
// Threads: one at a time. Privilege: write access to the run directory.
#pragma once

#include <array>
#include <chrono>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>

#include "specs/value/result.h"
#include "specs/value/unique_fd.h"

namespace plumb {

// Identifies one verb's run. Written into the lock file, so that an announcer that outlives its verb can tell, with
// two system calls, whether another verb has come since.
using Generation = std::array<char, 32>;

// How long a verb waits for the lock, and whether who has it is asked to give up: a stop asks whoever brings the
// service up.
struct LockWait {
  std::optional<std::chrono::steady_clock::time_point> until = {};
  bool interrupts = false;
  std::stop_token stop = {};
};

class ServiceLock {
 public:
  // For a verb, `holder`, that begins now. Waits until nobody else holds it; says on standard error for whom when it
  // has to wait. Errors: permission; timeout (with who has it); cancelled; unsupported (a later plumb has left a file
  // of the service's: plugin/node/service_state.h).
  [[nodiscard]] static Result<ServiceLock> take(const std::string& service, std::string_view holder,
                                                const LockWait& wait = {});
  // The same without a wait, in silence, and without a generation: for who has to look once more before anything is
  // changed, and may then leave all as it is. begin() makes it a verb's run. nullopt: a verb has it.
  [[nodiscard]] static Result<std::optional<ServiceLock>> try_hold(const std::string& service, std::string_view holder);
  [[nodiscard]] Result<void> begin();
  // Waits until no verb has it. Threads: any, of which each waits by itself. Errors: cancelled, within a tenth of a
  // second after `stop`.
  [[nodiscard]] static Result<void> wait_until_free(const std::string& service, const std::stop_token& stop);

  // Whether the verb before this one was killed: requests of its may still be on their way through the engine.
  [[nodiscard]] bool after_a_kill() const { return after_a_kill_; }
  // This verb has come to its end, well or not; nothing of its is on its way any more.
  void finish() const;

  // Readable when somebody has written into the file, or has removed it (inotify(7)); -1: nobody can tell. One for all
  // who ask, and for a child, which keeps it open: who closes it as the last waits for the kernel, for up to 20 ms
  // (fsnotify_wait_marks_destroyed, fs/notify/mark.c).
  [[nodiscard]] int changes() const;
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] const Generation& generation() const { return generation_; }

 private:
  static Result<ServiceLock> open(const std::string& service, std::string_view holder);
  [[nodiscard]] bool try_lock() const;
  Result<void> await(const std::string& service, const LockWait& wait);
  Result<void> sign(const std::string& service);
  ServiceLock(UniqueFd fd, std::string path, std::string holder)
      : fd_(std::move(fd)), path_(std::move(path)), holder_(std::move(holder)) {}
  UniqueFd fd_;
  mutable UniqueFd changes_;
  std::string path_;
  std::string holder_;  // as it stands in the file
  Generation generation_{};
  bool after_a_kill_ = false;
};

// Fires while a verb that brings a service up holds the lock, when somebody asks it to give up. The lock outlives it.
//
// Threads: makes and joins one of its own. Privilege: none.
class Interruption {
 public:
  Interruption(const ServiceLock& lock, const std::stop_token& outer);
  [[nodiscard]] std::stop_token stop() const { return source_.get_token(); }
  // Who asked: "stop (pid 4711)"; empty: nobody.
  [[nodiscard]] std::string by() const;

 private:
  void listen(const std::stop_token& end);

  std::string path_;
  int events_;  // of the lock; without it nobody can interrupt
  UniqueFd wake_;
  mutable std::mutex mutex_;
  std::string by_;
  std::stop_source source_;
  std::stop_callback<std::function<void()>> outer_;
  std::jthread thread_;  // last: it uses the others until it is joined
};

// The generation that stands in the lock file at `path`; zeros when it cannot be read.
[[nodiscard]] Generation current_generation(const char* path);

// What services share on a node is changed by one verb at a time: the node's own links to addresses on macvlans, and
// VLAN devices. Who adds a user must not meet who removes the device. Held as long as the descriptor. Waits. Errors:
// cancelled, within a tenth of a second after `stop`.
[[nodiscard]] Result<UniqueFd> lock_node_links(const std::stop_token& stop = {});

// Where plumb keeps what must not survive a reboot: /run/plumb. Made when it is missing. Errors: permission.
[[nodiscard]] Result<std::string> run_directory();

}  // namespace plumb
