// Leftovers: what may be removed of the containers that were made for a service, and with what. Whatever runs, or holds
// data that nothing else has, is kept. Internal to specs, but for retired_name().
//
// Threads: pure. Privilege: none.
#pragma once

#include <string>

#include "specs/plan/observed.h"

namespace plumb {

// The name of a container that was put aside for another one of its name.
[[nodiscard]] std::string retired_name(const std::string& name);
[[nodiscard]] bool is_retired(const ObservedContainer& have);

// Nobody can want it: it has never run, or its engine removes it at its end.
[[nodiscard]] bool is_rubbish(const ObservedContainer& have);

// Whether its volumes without a name go with it: where it was made to be removed at its end (`rm`), or has never run. A
// retired one's are its successor's.
[[nodiscard]] bool removes_volumes(const ObservedContainer& have, bool rm);

}  // namespace plumb
