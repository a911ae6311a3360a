#include "plugin/node/service_state.h"

#include "plugin/node/state_file.h"

namespace plumb {

namespace {

std::string path_in(const std::string& folder, const ServiceState& state, const std::string& service) {
  return folder + "/" + service + std::string(state.suffix);
}

}  // namespace

std::string path_of(const ServiceState& state, const std::string& service) {
  return path_in("/run/plumb", state, service);
}

Result<void> check_state(const std::string& service, const std::string& folder) {
  for (const auto& state : {kStartedState, kStoppingState, kTracesState, kUnsettledState, kClaimsState}) {
    const auto path = path_in(folder, state, service);
    const auto text = read_state_file(path).value_or(std::string());
    if (const auto known = without_heading(text, state.heading); !known)
      return Err{known.error().kind, "read " + path + ": " + known.error().what,
                 known.error().next + "; nothing was touched"};
  }
  return {};
}

}  // namespace plumb
