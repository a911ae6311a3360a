#include "plugin/node/unix_address.h"

namespace plumb {

std::optional<UnixAddress> UnixAddress::of_path(std::string_view path) {
  if (path.empty() || path.size() > kLongestSocketPath || path.find('\0') != std::string_view::npos)
    return std::nullopt;
  UnixAddress out;
  out.address_.sun_family = AF_UNIX;
  path.copy(&out.address_.sun_path[0], kLongestSocketPath);
  out.size_ = sizeof out.address_;
  return out;
}

// Such a name begins with a NUL, and is exactly as long as the address says: none ends it.
std::optional<UnixAddress> UnixAddress::of_abstract(std::string_view name) {
  if (name.empty() || name.size() >= kLongestSocketPath) return std::nullopt;
  UnixAddress out;
  out.address_.sun_family = AF_UNIX;
  name.copy(&out.address_.sun_path[1], kLongestSocketPath - 1);
  out.size_ = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  return out;
}

}  // namespace plumb
