// The capabilities that plumbing needs.
//
// Threads: safe from any; capabilities are those of the calling thread (capabilities(7)). Privilege: none.
#pragma once

#include <string>
#include <vector>

#include "specs/value/result.h"

namespace plumb::netns {

// Those of CAP_NET_ADMIN (links, addresses, routes), CAP_NET_RAW (probes, announcements) and CAP_SYS_ADMIN (setns) that
// are not effective, by name, in capital letters. Errors: libcap's.
[[nodiscard]] Result<std::vector<std::string>> missing_capabilities();

}  // namespace plumb::netns
