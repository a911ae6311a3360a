// The boot that this machine is in: what was seen in another one is gone.
//
// Threads: safe from any. Privilege: none.
#pragma once

#include <string>

#include "specs/value/result.h"

namespace plumb {

// The kernel's id of this boot (/proc/sys/kernel/random/boot_id, random(4)). Errors: /proc is not mounted.
[[nodiscard]] Result<std::string> boot_id();

}  // namespace plumb
