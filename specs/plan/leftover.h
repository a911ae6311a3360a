// Leftovers: what may be removed of the containers that were made for a service, and with what. Whatever runs, or holds
// data that nothing else has, is kept. Internal to specs, but for retired_name().
//
// Threads: pure. Privilege: none.
#pragma once

#include <string>
#include <vector>

#include "specs/plan/observed.h"
#include "specs/service/service.h"

namespace plumb {

// The name of a container that was put aside for another one of its name.
[[nodiscard]] std::string retired_name(const std::string& name);
[[nodiscard]] bool is_retired(const ObservedContainer& have);

// Nobody can want it: it has never run, or its engine removes it at its end.
[[nodiscard]] bool is_rubbish(const ObservedContainer& have);

// Whether its volumes without a name go with it: where it was made to be removed at its end (`rm`), or has never run. A
// retired one's are its successor's.
[[nodiscard]] bool removes_volumes(const ObservedContainer& have, bool rm);

// What a container that is made anew, instead of `before`, takes over: to make it anew is not to remove it, so what it
// has in volumes without a name goes along, but where the next one has something else in their place. With `rm` they go
// with it. nullptr: there is none before.
[[nodiscard]] std::vector<AnonymousVolume> volumes_of(const ObservedContainer* before, const ContainerResource& next);

}  // namespace plumb
