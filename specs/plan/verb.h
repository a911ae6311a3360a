// Verb: what a plan is made for, and which resources take part in it.
//
// Threads: plain values. Privilege: none.
#pragma once

#include <string_view>

#include "specs/service/service.h"

namespace plumb {

enum class Verb {
  start,     // everything
  stop,      // everything but what is on standby
  boot,      // what is on standby
  shutdown,  // everything
  // A hand-over (handover = true). On the node that is to have the addresses:
  prepare,   // everything but the addresses
  activate,  // the rest: asks the node that has them, and claims them as soon as they are withdrawn
  // On the one that has them:
  withdraw,  // the addresses, and nothing else
};

[[nodiscard]] std::string_view to_string(Verb verb);
// Whether the verb makes things, rather than takes them away.
[[nodiscard]] constexpr bool brings_up(Verb verb) {
  return verb == Verb::start || verb == Verb::boot || verb == Verb::prepare || verb == Verb::activate;
}
// Whether the resource takes part in the verb.
[[nodiscard]] constexpr bool takes_part(Verb verb, const Resource& resource) {
  if (verb == Verb::boot) return resource.standby;
  return !(verb == Verb::stop || verb == Verb::withdraw) || !resource.standby;
}

}  // namespace plumb
