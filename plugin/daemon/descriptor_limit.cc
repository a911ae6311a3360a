#include "plugin/daemon/descriptor_limit.h"

#include <sys/resource.h>

#include <algorithm>
#include <cerrno>

namespace plumb {

void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = std::max(limit.rlim_cur, std::min<rlim_t>(limit.rlim_max, 65536));
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

std::size_t share_of_descriptors(std::size_t most) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return most;
  return std::clamp<std::size_t>(limit.rlim_cur / 4, 1, most);
}

bool is_scarcity(const Error& error) {
  return error.code == EMFILE || error.code == ENFILE || error.code == ENOMEM || error.code == ENOBUFS ||
         error.code == EAGAIN;
}

}  // namespace plumb
