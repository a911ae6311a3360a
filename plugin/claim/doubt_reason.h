// Why an address is in doubt, in a person's words.
//
// Threads: pure. Privilege: none.
#pragma once

#include <string_view>

namespace plumb {

// `why`: of a report of that state (specs/claim/machine.cc).
[[nodiscard]] std::string_view doubt_reason(std::string_view why);

}  // namespace plumb
