// UnixAddress: a path, or an abstract name, as the address of a unix socket.
//
// Threads: a value. Privilege: none.
#pragma once

#include <sys/socket.h>
#include <sys/un.h>

#include <cstddef>
#include <optional>
#include <string_view>

namespace plumb {

// The bytes of the longest path that a socket can have (unix(7): sun_path, with a NUL).
inline constexpr std::size_t kLongestSocketPath = sizeof(sockaddr_un::sun_path) - 1;

class UnixAddress {
 public:
  // nullopt: empty, longer than longest_socket_path, or with a NUL in it.
  [[nodiscard]] static std::optional<UnixAddress> of_path(std::string_view path);
  // Of an abstract name (unix(7)). nullopt: empty or too long.
  [[nodiscard]] static std::optional<UnixAddress> of_abstract(std::string_view name);

  // For bind(2), connect(2) and sendto(2).
  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&address_); }
  [[nodiscard]] socklen_t size() const { return size_; }

 private:
  UnixAddress() = default;
  sockaddr_un address_{};
  socklen_t size_ = 0;
};

}  // namespace plumb
