// Log: the last lines that a container has written.
//
// Threads: as Client. Privilege: that of the Client. Facts: Engine API 1.40, ContainerLogs; the framing is that of
// ContainerAttach.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "docker_client/client.h"

namespace plumb::docker {

// The last lines of both outputs, oldest first, without their ends; at most `lines`. `tty`: the container has a
// terminal, so its log has no frames. Errors: `refused` or `unsupported` where the log driver keeps nothing to read.
[[nodiscard]] Result<std::vector<std::string>> last_lines(Client& client, const std::string& id, unsigned lines,
                                                          bool tty, const Call& call);

// The text in the frames of a stream; what is cut short is given as far as it came. Pure.
[[nodiscard]] std::string unframed(std::string_view stream);

}  // namespace plumb::docker
