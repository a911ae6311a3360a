// The driver: `plumb driver`, which serves Docker's calls until a signal ends it.
//
// Threads: main's; it makes others. Privilege: root to begin with (plugin/driver/privileges.h).
#pragma once

#include "plugin/command/command_line.h"

namespace plumb::driver {

// Returns the exit code.
[[nodiscard]] int run_driver(const CommandLine& command);

}  // namespace plumb::driver
