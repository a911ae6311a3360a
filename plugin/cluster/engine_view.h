// What engines show of a service that has no configuration here, or has left nothing of its own.
//
// Threads: one. Privilege: write access to the engine's socket; root for a private engine.
#pragma once

#include <chrono>
#include <string>

#include "specs/service/service.h"

namespace plumb {

// Whether an engine of the service's may have run since the boot: one that was killed, or is in trouble, leaves its
// socket behind; a reboot clears /run.
[[nodiscard]] bool engine_was_here(const Service& service);

// What runs under the service's name, when nothing says what that should be: a sentence; empty: nothing. An engine that
// is not there, or does not answer within `patience`, has nothing. `engine`: the socket of the one that it was started
// on, as Pacemaker's environment need not be that of who started it; empty: the environment's.
[[nodiscard]] std::string seen_running(const std::string& service, const std::string& engine,
                                       std::chrono::milliseconds patience);

}  // namespace plumb
