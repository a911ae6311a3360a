// The commands: each takes the parsed command line, prints, and returns the exit code.
//
// Threads: main's. Privilege: start, stop and restart need root, in effect; the others what they look at.
#pragma once

#include "plugin/command/command_line.h"

namespace plumb {

[[nodiscard]] int run_command(const CommandLine& command);

}  // namespace plumb
