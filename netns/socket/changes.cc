#include "netns/socket/changes.h"

#include <linux/netlink.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

#include "netns/namespace/enter.h"

namespace plumb::netns {

Result<UniqueFd> open_changes(const Namespace& ns, std::uint32_t groups) {
  return run_in(ns, [groups]() -> Result<UniqueFd> {
    UniqueFd fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE));
    sockaddr_nl address{};
    address.nl_family = AF_NETLINK;
    address.nl_groups = groups;
    const auto* plain = reinterpret_cast<const sockaddr*>(&address);  // NOLINT: the socket API's own way
    if (!fd || ::bind(fd.get(), plain, sizeof address) != 0)
      return Err{errno_error(errno, "open a netlink socket for changes")};
    return fd;
  });
}

void drain_changes(int fd) {
  std::array<char, 8192> buffer{};
  while (::recv(fd, buffer.data(), buffer.size(), 0) >= 0 || errno == ENOBUFS || errno == EINTR) {
  }
}

}  // namespace plumb::netns
