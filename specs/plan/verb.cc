#include "specs/plan/verb.h"

namespace plumb {

std::string_view to_string(Verb verb) {
  switch (verb) {
    case Verb::start: return "start";
    case Verb::stop: return "stop";
    case Verb::boot: return "boot";
    case Verb::shutdown: return "shutdown";
    case Verb::prepare: return "prepare";
    case Verb::activate: return "activate";
    case Verb::withdraw: return "withdraw";
  }
  return "unknown";
}

}  // namespace plumb
