// `plumb driver --check`: what the driver would miss on this node, before Docker meets it.
//
// It looks and changes nothing, but for one thing: it connects to the driver's socket, upon which systemd starts a
// driver that it listens for. Threads: main's. Privilege: none; what only root can see is said.
#pragma once

#include <vector>

#include "plugin/command/command_line.h"
#include "specs/status/diagnosis.h"

namespace plumb::driver {

// A problem keeps the driver from working; a note does so for some networks only, or costs time.
[[nodiscard]] std::vector<Finding> check(const DriverCommand& command);

// Prints it, as it is for a process with the driver's privileges: it gives up all others. The exit code is that of
// `failed` where there is a problem.
[[nodiscard]] int show_check(const CommandLine& command);

}  // namespace plumb::driver
