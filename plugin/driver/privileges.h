// What the driver gives up before it serves, and the one thing that a managed plugin has to put right first.
//
// Threads: both are called by main before any other thread is made: capabilities and mount namespaces are each thread's
// own, and new threads inherit them. Privilege: none for what is given up; CAP_SYS_ADMIN to uncover.
#pragma once

#include "specs/value/result.h"

namespace plumb::driver {

// Keeps, of what this process has, CAP_NET_ADMIN (links, addresses, sysctls), CAP_NET_RAW (probes, announcements) and
// CAP_SYS_ADMIN (setns); neither it nor a program that it runs gets more ever again. What is missing of the three stays
// missing: netns::missing_capabilities() names it. The uid stays: the folder, the sockets of Docker and of Open vSwitch
// are root's. Errors: the kernel's, in which case nothing must be served.
[[nodiscard]] Result<void> drop_privileges();

// Makes /proc/sys/net writable for this process where a read-only mount covers it, as runc makes one in every managed
// plugin; elsewhere it does nothing. The mount goes in a mount namespace that is made for this, so whatever was the
// caller's, the host's among them, keeps it; mounts that Docker adds later are still seen. Errors: permission; failed
// where it is no mount of its own that makes it read-only.
[[nodiscard]] Result<void> uncover_sysctls();

}  // namespace plumb::driver
