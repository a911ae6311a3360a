// `plumb enter`: a command in the network namespace of a service, or inside one of its containers.
//
// Threads: main's alone. Privilege: CAP_SYS_ADMIN and CAP_SYS_PTRACE for the namespace; write access to the engine's
// socket.
#pragma once

#include "plugin/command/command_line.h"

namespace plumb {

// Becomes the command. Returns an exit code only when that failed: 127 when there is no such command, 126 when it
// cannot be run, as shells have it; 3 when the service is down.
[[nodiscard]] int enter_service(const CommandLine& command);

}  // namespace plumb
