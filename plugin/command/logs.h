// `plumb logs`: what the service's containers write, from the engine that they live in.
//
// Threads: one for each container that is followed. Privilege: write access to the engine's socket.
#pragma once

#include "plugin/command/command_line.h"

namespace plumb {

// Ends by itself when the logs end; a signal ends the process as it always would, for there is nothing to undo.
[[nodiscard]] int show_logs(const CommandLine& command);

}  // namespace plumb
