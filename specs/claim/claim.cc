#include "specs/claim/claim.h"

namespace plumb::claim {

std::string_view to_string(State state) {
  switch (state) {
    case State::withdrawn: return "withdrawn";
    case State::lost: return "lost";
    case State::asking: return "asking";
    case State::reserved: return "reserved";
    case State::doubtful: return "doubtful";
    case State::owned: return "owned";
  }
  return "unknown";
}

}  // namespace plumb::claim
