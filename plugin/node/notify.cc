#include "plugin/node/notify.h"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <utility>

#include "plugin/node/unix_address.h"
#include "specs/value/text.h"

namespace plumb {

namespace {

std::optional<UnixAddress> manager_address(std::string_view where) {
  if (where.starts_with('@')) return UnixAddress::of_abstract(where.substr(1));
  return where.starts_with('/') ? UnixAddress::of_path(where) : std::nullopt;
}

std::optional<long long> number_in(const char* variable) {
  const char* text = std::getenv(variable);
  if (text == nullptr) return std::nullopt;
  const std::string_view value(text);
  long long out = 0;
  const auto [end, err] = std::from_chars(value.data(), value.data() + value.size(), out);
  return err == std::errc{} && end == value.data() + value.size() ? std::optional(out) : std::nullopt;
}

}  // namespace

Result<void> notify_manager(std::string_view state) {
  const char* where = std::getenv("NOTIFY_SOCKET");
  if (where == nullptr || *where == '\0') return {};
  const auto address = manager_address(where);
  if (!address) return Err{ErrorKind::usage, "tell the service manager: NOTIFY_SOCKET is " + in_quotes(where)};
  const UniqueFd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd || ::sendto(fd.get(), state.data(), state.size(), MSG_NOSIGNAL, address->get(), address->size()) < 0)
    return Err{errno_error(errno, "tell the service manager " + std::string(state))};
  return {};
}

std::optional<std::chrono::milliseconds> watchdog_interval() {
  const auto limit = number_in("WATCHDOG_USEC");
  const auto whose = number_in("WATCHDOG_PID");
  if (!limit || *limit < 2000 || (whose && *whose != ::getpid())) return std::nullopt;
  return std::chrono::milliseconds{*limit / 2000};
}

Result<NotifySocket> NotifySocket::bind(const std::string& path) {
  UniqueFd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd) return Err{errno_error(errno, "make a socket")};
  const auto address = UnixAddress::of_path(path);
  if (!address) return Err{ErrorKind::spec, "the path " + path + " is too long for a socket"};
  ::unlink(path.c_str());
  if (::bind(fd.get(), address->get(), address->size()) != 0) return Err{errno_error(errno, "bind " + path)};
  return NotifySocket(std::move(fd), path);
}

NotifySocket::NotifySocket(NotifySocket&& other) noexcept
    : fd_(std::move(other.fd_)), path_(std::exchange(other.path_, {})) {}

NotifySocket::~NotifySocket() {
  if (!path_.empty()) ::unlink(path_.c_str());
}

bool NotifySocket::says_ready() const {
  std::array<char, 512> buffer{};
  const auto size = ::recv(fd_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  return size > 0 &&
         std::string_view(buffer.data(), static_cast<std::size_t>(size)).find("READY=1") != std::string_view::npos;
}

}  // namespace plumb
