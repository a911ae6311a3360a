// How a claim is made, by what the configuration says of its address.
//
// Threads: plain values. Privilege: none.
#pragma once

#include <chrono>

#include "specs/claim/machine.h"
#include "specs/service/service.h"

namespace plumb {

// Of an address that is claimed by its link's own announcements, which the machine tells when to send.
[[nodiscard]] claim::Settings claim_settings(ProbeProfile probe, ConflictPolicy conflict,
                                             const AnnouncePolicy& announce,
                                             std::chrono::milliseconds hello = std::chrono::seconds{1});

}  // namespace plumb
