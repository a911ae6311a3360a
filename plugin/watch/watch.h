// `plumb watch`: keeps what is started on this node true, until a signal ends it.
//
// Threads: main's; it makes others. Privilege: root.
#pragma once

#include <string>

namespace plumb::watch {

// What it is told.
struct WatchCommand {
  std::string metrics;  // a socket to serve them on; empty: none
  bool timing = false;  // the critical path of each heal is in the log
};

// Returns the exit code.
[[nodiscard]] int run_watch(const WatchCommand& command);

}  // namespace plumb::watch
