// ServiceState: the files that plumb keeps of a service in the run directory, and the version of each.
//
// The first line of each is its heading, "plumb-KIND VERSION". A plumb reads what those before it have written. What a
// later one has written is refused, and never taken for absent: a stop would go by another configuration than that of
// the start, and what runs would be said not to.
//
// Threads: safe from any. Privilege: read access to the run directory.
#pragma once

#include <string>
#include <string_view>

#include "specs/value/result.h"

namespace plumb {

struct ServiceState {
  std::string_view suffix;   // of the file's name, behind that of the service
  std::string_view heading;  // as this plumb writes it
};
inline constexpr ServiceState kStartedState{".started", "plumb-started 1"};        // plugin/verb/started.h
inline constexpr ServiceState kStoppingState{".stopping", kStartedState.heading};  // the same file, renamed
inline constexpr ServiceState kTracesState{".traces", "plumb-traces 1"};           // plugin/verb/traces.h
inline constexpr ServiceState kUnsettledState{".unsettled", "plumb-unsettled 1"};
inline constexpr ServiceState kClaimsState{".claims", "plumb-claims 1"};  // plugin/claim/claim_book.h

// "/run/plumb/SERVICE.started". Does not make the folder: who asks must not.
[[nodiscard]] std::string path_of(const ServiceState& state, const std::string& service);

// Whether this plumb knows the versions of all that `folder` has of the service. What is not there, or cannot be read,
// is not its matter. Errors: unsupported, with the file and what to do.
[[nodiscard]] Result<void> check_state(const std::string& service, const std::string& folder = "/run/plumb");

// Whether there is any of them, or a verb of the service's runs: it holds the lock, and may have written none yet.
[[nodiscard]] bool is_known_or_busy(const std::string& service, const std::string& folder = "/run/plumb");

}  // namespace plumb
