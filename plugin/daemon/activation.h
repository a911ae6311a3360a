// Socket activation: the sockets that systemd passes on to a daemon, told apart by their names.
//
// The protocol is sd_listen_fds(3): a few variables of the environment. Threads: it changes the environment, so main
// calls it before any other thread is made. Privilege: none.
#pragma once

#include <string_view>
#include <vector>

#include "specs/value/result.h"
#include "specs/value/unique_fd.h"

namespace plumb {

// The listening sockets whose FileDescriptorName is one of `names`, in their order; one that was not passed on has no
// descriptor. Without a name the first that is passed on is that of the first name. Neither they nor the variables are
// passed on to programs that this one runs. None at all is a success. Errors: usage, for a socket that has no meaning,
// is named twice or is no listening stream socket of AF_UNIX; all are closed.
[[nodiscard]] Result<std::vector<UniqueFd>> inherited_sockets(const std::vector<std::string_view>& names);

}  // namespace plumb
