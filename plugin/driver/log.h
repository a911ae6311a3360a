// The driver's log: a line for each thing that nobody is told by an answer, on standard error, where the journal takes
// it.
//
// Threads: safe from any. Privilege: none.
#pragma once

#include <string>

namespace plumb::driver {

// "plumb driver: endpoint ID: WHAT", with as much of the id as Docker shows.
void say_of_endpoint(const std::string& id, const std::string& what);
void say_of_network(const std::string& id, const std::string& what);

}  // namespace plumb::driver
