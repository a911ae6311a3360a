// The watcher's log: a line for each thing that it did, on standard error, where the journal takes it.
//
// Threads: safe from any. Privilege: none.
#pragma once

#include <string>

#include "specs/value/result.h"

namespace plumb::watch {

// `service` may be empty.
void say(const std::string& service, const std::string& what);
// With the error's next step, if it has one.
void say(const std::string& service, const std::string& what, const Error& error);

}  // namespace plumb::watch
