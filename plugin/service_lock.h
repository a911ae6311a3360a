// ServiceLock: one verb at a time for each service on a node, and a generation that tells a later verb from an earlier.
//
// An flock(2) on /run/plumb/SERVICE.lock: the kernel drops it with its holder, so a killed verb never blocks the next.
// Threads: one at a time. Privilege: write access to the run directory.
#pragma once

#include <array>
#include <string>

#include "specs/result.h"
#include "specs/unique_fd.h"

namespace plumb {

// Identifies one verb's run. Written into the lock file, so that an announcer that outlives its verb can tell, with
// two system calls, whether another verb has come since.
using Generation = std::array<char, 32>;

class ServiceLock {
 public:
  // Waits until nobody else holds it; says so on standard error when it has to wait. Errors: permission.
  [[nodiscard]] static Result<ServiceLock> take(const std::string& service);

  // Whether the verb before this one was killed: requests of its may still be on their way through the engine.
  [[nodiscard]] bool after_a_kill() const { return after_a_kill_; }
  // This verb has come to its end, well or not; nothing of its is on its way any more.
  void finish() const;

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] const Generation& generation() const { return generation_; }

 private:
  ServiceLock(UniqueFd fd, std::string path, const Generation& generation, bool after_a_kill)
      : fd_(std::move(fd)), path_(std::move(path)), generation_(generation), after_a_kill_(after_a_kill) {}
  UniqueFd fd_;
  std::string path_;
  Generation generation_;
  bool after_a_kill_;
};

// What services share on a node is changed by one verb at a time: the node's own links to addresses on macvlans, and
// VLAN devices. Who adds a user must not meet who removes the device. Held as long as the descriptor. Waits.
[[nodiscard]] Result<UniqueFd> lock_node_links();

// Where plumb keeps what must not survive a reboot: /run/plumb. Made when it is missing. Errors: permission.
[[nodiscard]] Result<std::string> run_directory();

}  // namespace plumb
