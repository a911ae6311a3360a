// The methods of the engine's NetworkDriver protocol: JSON in, JSON out.
//
// Threads: safe from any. Privilege: that of Networks.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "plugin/driver/networks.h"
#include "plugin/driver/pools.h"
#include "specs/value/result.h"

namespace plumb::driver {

// The answer to NetworkDriver.`method`; nullopt when there is no such method. Errors: usage for a body that is not what
// the method needs (the engine repeats a call on a broken connection without its body), else those of Networks.
[[nodiscard]] Result<std::optional<std::string>> network_call(Networks& networks, Pools& pools, std::string_view method,
                                                              const std::string& body);

}  // namespace plumb::driver
