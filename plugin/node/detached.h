// A child that goes on after its verb: it has a session of its own, no signals blocked, and nothing open but what it
// needs.
//
// Threads: in the child of a fork, which has one. Privilege: none.
#pragma once

#include <vector>

namespace plumb {

// Closes what a detached child has no business to hold open, such as the engine's connections and the service's lock;
// its standard streams are /dev/null: whoever waits for the end of the verb's output must not wait for it.
void detach_process(std::vector<int> keep);

}  // namespace plumb
