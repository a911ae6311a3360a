// Sysfs: a /sys that shows the devices of a network namespace, for a thread that is about to become another program.
//
// A sysfs shows the devices of the namespace that it was mounted in (sysfs_init_fs_context, fs/sysfs/mount.c), whoever
// looks at it later; so who enters a namespace still sees the other one's devices in /sys/class/net.
//
// Threads: for one that no other shares its mounts with afterwards. Privilege: CAP_SYS_ADMIN.
#pragma once

#include "specs/value/result.h"

namespace plumb::netns {

// Gives the calling thread a mount namespace of its own, and there a /sys of its present network namespace. What was
// mounted below /sys stays where it was: the control groups above all, which `ip netns exec` hides. Mounts that the
// node makes later are seen, those made here are not seen by the node. Errors: permission; failed, with /sys as it was
// or with some of what was mounted below it missing.
[[nodiscard]] Result<void> show_own_devices();

}  // namespace plumb::netns
