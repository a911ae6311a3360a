// The time of claims: since the machine booted, its sleep included (clock_gettime(2), CLOCK_BOOTTIME).
//
// Threads: any. Privilege: none.
#pragma once

#include <chrono>
#include <ctime>

#include "specs/claim/claim.h"

namespace plumb {

[[nodiscard]] inline claim::Time boot_time() {
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  return std::chrono::duration_cast<claim::Time>(std::chrono::seconds(now.tv_sec) +
                                                 std::chrono::nanoseconds(now.tv_nsec));
}

}  // namespace plumb
