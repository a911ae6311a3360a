// What a control group says of itself, wherever its hierarchy is mounted. Paths are those of /proc/PID/cgroup
// (cgroups(7)).
//
// Threads: any. Privilege: none.
#pragma once

#include <optional>
#include <string>

namespace plumb {

// Whether a process is in it, or below it: the kernel's own count (cgroup-v2.rst, cgroup.events; cgroup.procs in
// version 1).
[[nodiscard]] bool is_populated(const std::string& path);

// Whether its processes are kept from running, as an engine does to pause a container (cgroup.events of version 2,
// freezer.state of version 1). nullopt: it does not say.
[[nodiscard]] std::optional<bool> is_frozen(const std::string& path);

}  // namespace plumb
