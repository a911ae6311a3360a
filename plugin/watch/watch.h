// `plumb watch`: keeps what is started on this node true, until a signal ends it.
//
// Threads: main's; it makes others. Privilege: root.
#pragma once

#include "plugin/command/command_line.h"

namespace plumb::watch {

// Returns the exit code.
[[nodiscard]] int run_watch(const CommandLine& command);

}  // namespace plumb::watch
