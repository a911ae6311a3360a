// Engine lanes: the services of one command, side by side, so that an engine that hangs holds up none of another's.
//
// Threads: makes and joins its own. Privilege: none.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "specs/service/service.h"
#include "specs/value/result.h"

namespace plumb {

// The socket of the service's engine; empty: it needs none, or which one cannot be said.
[[nodiscard]] std::string lane_of(const Service& service);

// Does `work` for each index of `engines` (lane_of()), eight at a time of one engine, and of all engines at once. When
// eight in a row of one engine have ended with no answer in time, and none otherwise, it is taken as hung for as long
// as a OneVerdict lives: so who goes on to ask it pays its time limit no second time. `work` gives its error, if any.
void run_in_lanes(const std::vector<std::string>& engines,
                  const std::function<std::optional<Error>(std::size_t)>& work);

}  // namespace plumb
