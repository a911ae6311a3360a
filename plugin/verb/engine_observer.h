// What the engine knows of a service's containers, and what is in their network namespaces.
//
// Threads: safe from any; uses threads of its own. Privilege: as observe().
#pragma once

#include <stop_token>

#include "plugin/engine/service_engine.h"
#include "plugin/verb/observer.h"
#include "specs/service/service.h"
#include "specs/value/result.h"

namespace plumb {

// Asks an engine that has answered its first question. One that hangs since is like one that never answered: that is in
// what is seen, and no error. Errors: the engine's, and the kernel's.
[[nodiscard]] Result<void> ask_engine(const Service& service, ServiceEngine& engine, const std::stop_token& stop,
                                      Observation& out);

}  // namespace plumb
