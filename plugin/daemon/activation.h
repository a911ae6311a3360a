// The driver and the watcher under systemd: the sockets that it passes on, and telling it what state they are in.
//
// The protocols are sd_listen_fds(3) and sd_notify(3): a few variables of the environment. Threads: inherited_...()
// change the environment, so main calls them before any other thread is made; notify is safe from any. Privilege: none.
#pragma once

#include <string_view>

#include "specs/value/result.h"
#include "specs/value/unique_fd.h"

namespace plumb::driver {

struct Inherited {
  UniqueFd plugin;   // where Docker connects to
  UniqueFd metrics;  // either may be missing
};

// The sockets of FileDescriptorName=plumb-driver and plumb-driver-metrics, which listen; without a name the first is
// the plugin's. Neither they nor the variables are passed on to programs that the driver runs. None is a success.
// Errors: usage, for a socket that has no meaning, is named twice or is no listening stream socket of AF_UNIX; all are
// closed.
[[nodiscard]] Result<Inherited> inherited_sockets();

// The same for the watcher: the socket of FileDescriptorName=plumb-watch-metrics, or the first without a name.
[[nodiscard]] Result<UniqueFd> inherited_watch_metrics();

// Tells the service manager "READY=1" or "STOPPING=1", where there is one. Errors: it cannot be told.
[[nodiscard]] Result<void> notify(std::string_view state);

}  // namespace plumb::driver
