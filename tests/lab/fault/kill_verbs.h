// Verbs of a service that are killed at one call after another, until they survive, and what the next verb makes of it.
//
// Threads: one. Privilege: root, as Node.
#pragma once

#include <functional>
#include <string>

#include "tests/lab/fault/fault_stage.h"

namespace plumb::lab {

using Reached = std::function<bool()>;

// After each kill `start` makes it whole, so that `reached` holds, each second time, and `stop` clears it away.
// `least`: how often it must have been killed when every third call is one.
void kill_starts(const Stage& stage, int least, const Reached& reached, const std::string& verb = "start");
// Reached: the client gets an answer of nginx.
void kill_starts(const Stage& stage, int least);
// After each kill the next `stop` clears it away.
void kill_stops(const Stage& stage, int least);

}  // namespace plumb::lab
