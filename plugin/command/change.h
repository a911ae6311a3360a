// Commands that change services: one, or all of the node.
//
// Threads: main's; they make and join others. Privilege: root.
#pragma once

#include <vector>

#include "plugin/command/command_line.h"
#include "plugin/verb/verb.h"

namespace plumb {

// The verbs in a row, of one service. Returns the exit code.
[[nodiscard]] int change(const CommandLine& command, const std::vector<Verb>& verbs);

// Boot or shutdown of one service, or of every service that has something to do with this node: each engine's services
// side by side with those of the others. What is not done within the command's time limit is given up, and named: a
// boot of it is undone, a shutdown stays as far as it came. Returns the worst exit code.
[[nodiscard]] int change_all(const CommandLine& command, Verb verb);

}  // namespace plumb
