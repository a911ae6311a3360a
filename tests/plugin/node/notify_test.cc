// What is said to the service manager.
#include "plugin/node/notify.h"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdlib>

#include "tests/plugin/daemon/child.h"

using namespace plumb;
using test::in_child;

namespace {

// What a listener at the address hears from notify_manager(); `path` begins with '@' for an abstract one.
std::string heard(const std::string& path, const char* state) {
  const UniqueFd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, path.size());
  if (path.front() == '@') address.sun_path[0] = '\0';
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), size) != 0) return "cannot bind";
  auto told = in_child([&] {
    ::setenv("NOTIFY_SOCKET", path.c_str(), 1);
    const auto result = notify_manager(state);
    return result ? std::string() : result.error().what;
  });
  if (!told.empty()) return told;
  std::array<char, 64> buffer{};
  const ssize_t got = ::recv(fd.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  return got < 0 ? "nothing" : std::string(buffer.data(), static_cast<std::size_t>(got));
}

}  // namespace

TEST_CASE("the service manager is told, by a path or an abstract name, where there is one") {
  const std::string unique = "plumb-notify-" + std::to_string(::getpid());
  const std::string path = "/tmp/" + unique;
  CHECK(heard("@" + unique, "READY=1") == "READY=1");
  CHECK(heard(path, "STOPPING=1") == "STOPPING=1");
  CHECK(heard(path, "READY=1") == "cannot bind");  // the file is still there: nobody listens
  const auto told = [](const char* where) {
    return in_child([&] {
      ::unsetenv("NOTIFY_SOCKET");
      if (where != nullptr) ::setenv("NOTIFY_SOCKET", where, 1);
      return notify_manager("READY=1") ? "told" : "an error";
    });
  };
  CHECK(told(nullptr) == "told");
  CHECK(told(path.c_str()) == "an error");
  CHECK(told("relative") == "an error");
  CHECK(told(std::string(200, '/').c_str()) == "an error");
  ::unlink(path.c_str());
}
