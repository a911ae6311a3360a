#include "plugin/node/service_state.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "plugin/node/state_file.h"
#include "specs/value/unique_fd.h"

namespace plumb {

namespace {

constexpr std::array kServiceStates = {kStartedState, kStoppingState, kTracesState, kUnsettledState, kClaimsState};

std::string path_in(const std::string& folder, const ServiceState& state, const std::string& service) {
  return folder + "/" + service + std::string(state.suffix);
}

}  // namespace

std::string path_of(const ServiceState& state, const std::string& service) {
  return path_in("/run/plumb", state, service);
}

Result<void> check_state(const std::string& service, const std::string& folder) {
  for (const auto& state : kServiceStates) {
    const auto path = path_in(folder, state, service);
    const auto text = read_state_file(path).value_or(std::string());
    if (const auto known = without_heading(text, state.heading); !known)
      return Err{known.error().kind, "read " + path + ": " + known.error().what,
                 known.error().next + "; nothing was touched"};
  }
  return {};
}

bool is_known_or_busy(const std::string& service, const std::string& folder) {
  if (std::any_of(kServiceStates.begin(), kServiceStates.end(), [&](const ServiceState& state) {
        return ::access(path_in(folder, state, service).c_str(), F_OK) == 0;
      }))
    return true;
  const UniqueFd lock(::open((folder + "/" + service + ".lock").c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  return lock && ::flock(lock.get(), LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

}  // namespace plumb
