#include "plugin/daemon/activation.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "specs/value/text.h"

namespace plumb {

namespace {

constexpr int kFirstInherited = 3;  // SD_LISTEN_FDS_START
constexpr int kMostInherited = 16;  // no face of plumb knows more than two

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : value;
}

template <typename Number>
std::optional<Number> number(const std::string& text) {
  Number out = 0;
  const auto [end, err] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (err != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return out;
}

// A socket that a program knows what to do with. The first of its places is also for a first socket without a name.
struct Place {
  std::string_view name;
  UniqueFd* fd;
};
using Places = std::vector<Place>;

Err wrong(const Places& places, std::string what) {
  std::string names;
  for (const auto& place : places) names += (names.empty() ? "FileDescriptorName=" : ", or ") + std::string(place.name);
  return Err{ErrorKind::usage, "take the sockets of systemd: " + std::move(what), "see the socket unit: " + names};
}

// "a:b" has as many names as there are sockets, or the variable is missing.
std::vector<std::string> names_of(const std::string& text, std::size_t count) {
  std::vector<std::string> out;
  for (std::size_t at = 0; at <= text.size() && !text.empty();) {
    const auto end = std::min(text.find(':', at), text.size());
    out.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  out.resize(count);
  return out;
}

int option(int fd, int name) {
  int value = 0;
  socklen_t size = sizeof(value);
  return ::getsockopt(fd, SOL_SOCKET, name, &value, &size) == 0 ? value : -1;
}

bool listens(int fd) {
  return option(fd, SO_DOMAIN) == AF_UNIX && option(fd, SO_TYPE) == SOCK_STREAM && option(fd, SO_ACCEPTCONN) == 1;
}

// What systemd calls a socket whose unit gives it no name: after the unit, or "unknown" (systemd-socket-activate).
bool is_unnamed(const std::string& name, const Place& place) {
  return name.empty() || name == "unknown" || name == std::string(place.name) + ".socket" || name == "stored";
}

Result<void> take(const Places& places, UniqueFd fd, const std::string& name, bool first) {
  if (!listens(fd.get())) return wrong(places, in_quotes(name) + " is no listening stream socket with a path");
  auto place =
      std::find_if(places.begin(), places.end(), [&](const Place& candidate) { return candidate.name == name; });
  if (place == places.end() && first && is_unnamed(name, places.front())) place = places.begin();
  if (place == places.end()) return wrong(places, in_quotes(name) + " means nothing to plumb");
  if (*place->fd) return wrong(places, "there are two for " + in_quotes(name));
  *place->fd = std::move(fd);
  return {};
}

Result<void> take_all(const Places& places) {
  const auto for_whom = variable("LISTEN_PID");
  const auto how_many = variable("LISTEN_FDS");
  const auto named = variable("LISTEN_FDNAMES");
  for (const char* name : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"}) ::unsetenv(name);
  if (for_whom.empty() || number<pid_t>(for_whom) != ::getpid()) return {};  // another program's
  const auto count = number<int>(how_many);
  if (!count || *count < 0 || *count > kMostInherited) return wrong(places, "LISTEN_FDS is " + in_quotes(how_many));
  std::vector<UniqueFd> fds;
  for (int fd = kFirstInherited; fd < kFirstInherited + *count; ++fd) {
    if (::fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)
      return Err{errno_error(errno, "take the sockets of systemd: descriptor " + std::to_string(fd))};
    fds.emplace_back(fd);
  }
  const auto names = names_of(named, fds.size());
  for (std::size_t i = 0; i < fds.size(); ++i) TRY(take(places, std::move(fds[i]), names[i], i == 0));
  return {};
}

}  // namespace

Result<std::vector<UniqueFd>> inherited_sockets(const std::vector<std::string_view>& names) {
  std::vector<UniqueFd> out(names.size());
  Places places;
  for (std::size_t i = 0; i < names.size(); ++i) places.push_back({names[i], &out[i]});
  TRY(take_all(places));
  return out;
}

}  // namespace plumb
