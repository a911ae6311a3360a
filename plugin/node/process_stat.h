// What /proc/PID/stat says of a process.
//
// Threads: safe from any. Privilege: none.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>

namespace plumb {

// When it was started, in clock ticks since the boot; nullopt when there is no such process. With the pid it identifies
// a process for as long as the machine is up.
[[nodiscard]] std::optional<std::uint64_t> start_ticks_of(pid_t pid);

// Whether the process that was started then still runs: a thread of it does. A zombie does not, unlike one whose first
// thread alone has ended.
[[nodiscard]] bool still_runs(pid_t pid, std::uint64_t start_ticks);

}  // namespace plumb
