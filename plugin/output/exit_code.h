// The one table that turns an error or a state into what the shell sees.
//
// Threads: pure. Privilege: none.
#pragma once

#include "specs/status/status.h"
#include "specs/value/result.h"

namespace plumb {

// Documented in plumb(8), section EXIT STATUS. 3 for a service that is down is what LSB init scripts and systemd use.
enum class ExitCode : int {
  ok = 0,             // done; `status`: up
  failed = 1,         // the kernel or the engine refused, or a deadline passed
  usage = 2,          // the command line is wrong
  down = 3,           // `status`: down
  degraded = 4,       // `status`: degraded
  conflict = 5,       // somebody else answers for the address
  spec = 6,           // the configuration is wrong
  permission = 7,     // not root, or a capability is missing
  unreachable = 8,    // the engine or a registry does not answer; `status`: unknown
  not_found = 9,      // no such service
  interrupted = 130,  // SIGINT or SIGTERM; everything was undone
};

[[nodiscard]] ExitCode exit_code(ErrorKind kind);
[[nodiscard]] ExitCode exit_code(Availability availability);

}  // namespace plumb
