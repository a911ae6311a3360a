// The sockets that systemd passes on, as a child meets them.
#include "plugin/daemon/activation.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "tests/plugin/daemon/child.h"

using namespace plumb;
using test::in_child;

namespace {

enum class Kind { listening, idle, datagram, tcp, file };

// An abstract address that the kernel chooses (unix(7), autobind), for all but the last two.
int make(Kind kind) {
  if (kind == Kind::file) return ::open("/dev/null", O_RDWR | O_CLOEXEC);
  const int family = kind == Kind::tcp ? AF_INET : AF_UNIX;
  const int fd = ::socket(family, kind == Kind::datagram ? SOCK_DGRAM : SOCK_STREAM, 0);
  sockaddr address{};
  address.sa_family = AF_UNIX;
  const bool bound = family != AF_UNIX || ::bind(fd, &address, sizeof(address.sa_family)) == 0;
  if (kind == Kind::listening || kind == Kind::tcp) ::listen(fd, 1);
  return bound ? fd : -1;
}

// The address tells sockets apart, whatever their numbers are.
std::string name_of(int fd) {
  sockaddr_un address{};
  socklen_t size = sizeof(address);
  auto* to = reinterpret_cast<sockaddr*>(&address);
  if (fd < 0 || ::getsockname(fd, to, &size) != 0) return "none";
  return {address.sun_path + 1, size - offsetof(sockaddr_un, sun_path) - 1};
}

// What a driver gets that is started with these: "2 1": the plugin's socket was the second, that of the metrics the
// first; "-" for none; or the error.
std::string given(const std::vector<Kind>& kinds, const char* names, const char* pid = nullptr) {
  return in_child([&] {
    constexpr int kFirst = 3;
    std::vector<std::string> addresses{"none"};
    std::vector<int> high;
    for (const Kind kind : kinds) high.push_back(::fcntl(make(kind), F_DUPFD, 50));
    for (std::size_t i = 0; i < high.size(); ++i) {
      ::dup2(high[i], kFirst + static_cast<int>(i));
      addresses.push_back(name_of(high[i]));
      ::close(high[i]);
    }
    ::setenv("LISTEN_PID", pid == nullptr ? std::to_string(::getpid()).c_str() : pid, 1);
    ::setenv("LISTEN_FDS", std::to_string(kinds.size()).c_str(), 1);
    if (names != nullptr) ::setenv("LISTEN_FDNAMES", names, 1);
    const auto sockets = inherited_sockets({"plumb-driver", "plumb-driver-metrics"});
    for (const char* name : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"})
      if (std::getenv(name) != nullptr) return std::string(name) + " is still there";
    if (!sockets) return std::string(to_string(sockets.error().kind)) + ": " + sockets.error().what;
    std::string out;
    for (const auto* fd : {&sockets->at(0), &sockets->at(1)}) {
      if (*fd && (::fcntl(fd->get(), F_GETFD) & FD_CLOEXEC) == 0) return std::string("not closed at exec");
      std::size_t at = 0;
      for (std::size_t i = 1; i < addresses.size(); ++i)
        if (*fd && name_of(fd->get()) == addresses[i]) at = i;
      out += at == 0 ? "-" : std::to_string(at);
    }
    return out;
  });
}

bool refused(const std::string& answer, const std::string& part) {
  CAPTURE(answer);
  return answer.starts_with("usage: ") && answer.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("sockets are told apart by their names, and without one the first is the plugin's") {
  CHECK(given({Kind::listening}, "plumb-driver") == "1-");
  CHECK(given({Kind::listening}, nullptr) == "1-");
  CHECK(given({Kind::listening}, "plumb-driver.socket") == "1-");
  CHECK(given({Kind::listening}, "unknown") == "1-");
  CHECK(given({Kind::listening}, "plumb-driver-metrics") == "-1");
  CHECK(given({Kind::listening, Kind::listening}, "plumb-driver-metrics:plumb-driver") == "21");
  CHECK(given({Kind::listening, Kind::listening}, ":plumb-driver-metrics") == "12");
  CHECK(given({}, "") == "--");
}

TEST_CASE("the watcher takes the socket of its metrics, and no other") {
  const auto taken = [](Kind kind, const char* name) {
    return in_child([&] {
      ::dup2(::fcntl(make(kind), F_DUPFD, 50), 3);
      const std::string address = name_of(3);
      ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
      ::setenv("LISTEN_FDS", "1", 1);
      ::setenv("LISTEN_FDNAMES", name, 1);
      const auto socket = inherited_sockets({"plumb-watch-metrics"});
      if (!socket) return std::string(to_string(socket.error().kind)) + ": " + socket.error().what;
      return std::string(name_of(socket->at(0).get()) == address ? "taken" : "another");
    });
  };
  for (const char* name : {"plumb-watch-metrics", "plumb-watch-metrics.socket", "unknown", ""})
    CHECK(taken(Kind::listening, name) == "taken");
  for (const char* name : {"plumb-driver", "plumb-driver-metrics", "plumb-driver.socket"})
    CHECK(refused(taken(Kind::listening, name), "means nothing"));
  CHECK(refused(taken(Kind::idle, "plumb-watch-metrics"), "no listening stream socket"));
  CHECK(in_child([] {
          const auto socket = inherited_sockets({"plumb-watch-metrics"});
          return socket && !socket->at(0) ? "none" : "something";
        }) == "none");
}

TEST_CASE("sockets that are another process's are left alone") {
  CHECK(given({Kind::listening}, "plumb-driver", "1") == "--");
  CHECK(given({Kind::listening}, "plumb-driver", "") == "--");
  CHECK(given({Kind::listening}, "plumb-driver", "12x") == "--");
  CHECK(in_child([] {
          return inherited_sockets({"plumb-driver", "plumb-driver-metrics"}) ? "none" : "an error";
        }) == "none");
}

TEST_CASE("what is no listening stream socket of AF_UNIX is refused, and so is one without a meaning") {
  for (const Kind kind : {Kind::idle, Kind::datagram, Kind::tcp, Kind::file})
    CHECK(refused(given({kind}, "plumb-driver"), "no listening stream socket"));
  CHECK(refused(given({Kind::listening, Kind::listening}, "plumb-driver:plumb-driver"), "there are two"));
  CHECK(refused(given({Kind::listening}, "other"), "means nothing"));
  CHECK(refused(given({Kind::listening, Kind::listening}, nullptr), "means nothing"));
  const auto counted = [](const char* count) {
    return in_child([&] {
      ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
      ::setenv("LISTEN_FDS", count, 1);
      const auto sockets = inherited_sockets({"plumb-driver", "plumb-driver-metrics"});
      return sockets ? "taken" : std::string(to_string(sockets.error().kind)) + ": " + sockets.error().what;
    });
  };
  for (const char* count : {"", "-1", "2000000000", "one"}) CHECK(refused(counted(count), "LISTEN_FDS"));
}
