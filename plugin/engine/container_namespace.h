// The network namespace of a container, taken only after it is proven to be that container's.
//
// Threads: safe from any. Privilege: CAP_SYS_ADMIN and CAP_SYS_PTRACE.
#pragma once

#include <stop_token>
#include <string>

#include "docker_client/client.h"
#include "netns/namespace/namespace.h"
#include "specs/value/result.h"

namespace plumb {

// The namespace of the container `id`, which the engine says has the first process `pid`. Proves, with the process held
// by a pidfd, that the process is the container's: its cgroup carries the container's id, or else the engine still says
// the same of it. Errors: not_found when it ended meanwhile.
[[nodiscard]] Result<netns::Namespace> container_namespace(docker::Client& client, const std::string& id, int pid,
                                                           const std::stop_token& stop);

}  // namespace plumb
