// Changes: a socket that hears what changes in a namespace, for waits that no polling should do.
//
// For this layer only. Threads: as the descriptor. Privilege: CAP_SYS_ADMIN to enter another namespace.
#pragma once

#include <cstdint>

#include "netns/namespace/namespace.h"
#include "specs/value/result.h"
#include "specs/value/unique_fd.h"

namespace plumb::netns {

// `groups`: RTMGRP_* of linux/rtnetlink.h. The descriptor is readable after a change. Open it before the first look at
// the state, so that no change falls between the two.
[[nodiscard]] Result<UniqueFd> open_changes(const Namespace& ns, std::uint32_t groups);

// Throws away what has been heard. Only the fact that something changed matters: the state is asked for afresh, so lost
// notifications (ENOBUFS) do no harm.
void drain_changes(int fd);

}  // namespace plumb::netns
