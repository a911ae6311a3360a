// The driver: `plumb driver`, which serves Docker's calls until a signal ends it.
//
// Threads: main's; it makes others. Privilege: root to begin with (plugin/driver/privileges.h).
#pragma once

#include <string>

namespace plumb::driver {

// What it is told.
struct DriverCommand {
  std::string socket = "/run/docker/plugins/plumb.sock";  // where Docker looks for a driver with the name plumb
  std::string metrics;                                    // a socket, too; empty: none
  std::string state = "/var/lib/plumb/driver";
  bool check = false;  // only say what is missing (plugin/driver/check.h)
};

// Returns the exit code.
[[nodiscard]] int run_driver(const DriverCommand& command);

}  // namespace plumb::driver
