// Values of a link's keywords: mode, conflict, probe, announce, ipdev. They are written alike in a spec and in the
// options of a network of the driver.
//
// Threads: pure functions. Privilege: none. Every error is ErrorKind::spec, as those of specs/value/scalar.h.
#pragma once

#include <string>
#include <string_view>

#include "specs/service/service.h"
#include "specs/value/ip.h"
#include "specs/value/result.h"

namespace plumb {

// Of a word that is one of the keyword's candidates; any other is read as the default.
[[nodiscard]] IpMode mode_of(std::string_view word);
[[nodiscard]] ConflictPolicy conflict_of(std::string_view word);
[[nodiscard]] ProbeProfile probe_of(std::string_view word);

[[nodiscard]] milliseconds hello_of(std::string_view word);  // "off": 0

// "5", "5 500ms" or "5 500ms 1m": how often, at what interval, and in which period later.
[[nodiscard]] Result<AnnouncePolicy> parse_announce(std::string_view text);

// The name of a network device.
[[nodiscard]] Result<IfName> parse_device(std::string_view text);

}  // namespace plumb
