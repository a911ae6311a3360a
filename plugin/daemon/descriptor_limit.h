// How many descriptors a daemon may have: more than the usual 1024, as it has some for each service or endpoint.
//
// Threads: any. Privilege: none.
#pragma once

#include <cstddef>

#include "specs/value/result.h"

namespace plumb {

// Raises the soft limit to the hard one, to 65536 at most; never lowers it. Programs that it starts inherit it.
void raise_descriptor_limit();

// A part of the soft limit that may be kept open for long without being in the way of others: a quarter, `most` at
// most.
[[nodiscard]] std::size_t share_of_descriptors(std::size_t most);

// Whether what failed may succeed later: descriptors, memory or threads were short.
[[nodiscard]] bool is_scarcity(const Error& error);

}  // namespace plumb
