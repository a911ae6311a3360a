// Who answers for an address on the LAN, as the client there hears it.
//
// Threads: one. Privilege: root, as Node.
#pragma once

#include <set>
#include <string>

namespace plumb::lab {

// The MACs that say that they have it: it is asked for anew, twice, and pinged.
[[nodiscard]] std::set<std::string> owners(const std::string& address);
// The MACs by which the answers to the client's pings come.
[[nodiscard]] std::set<std::string> answered_by(const std::string& address);

}  // namespace plumb::lab
