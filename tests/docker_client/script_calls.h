// The calls of tests whose engine is a script (tests/docker_client/fake_engine.h). Threads: constants. Privilege: none.
#pragma once

#include "docker_client/call.h"

namespace plumb::test {

inline const docker::Call kCall{std::chrono::seconds(20), {}};        // of one that answers, on any machine
inline const docker::Call kShort{std::chrono::milliseconds(60), {}};  // of one that does not

}  // namespace plumb::test
