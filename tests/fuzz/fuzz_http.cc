// Any bytes on the driver's socket: the server hands on whole requests only, answers in HTTP or not at all, and goes on
// serving others.
//
// Each input is a connection of its own to a server that listens on a unix socket, as Docker would make it: a thread
// and a connection cost less than libmicrohttpd's way of taking a descriptor, which needs another mode of it. A first
// byte says in which pieces the rest is sent.
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include "plugin/daemon/http_server.h"
#include "plugin/daemon/listening_socket.h"
#include "specs/value/unique_fd.h"

namespace {

using plumb::UniqueFd;

constexpr std::size_t kMostBody = 1U << 20U;
constexpr int kPatienceMs = 10'000;  // a server that says nothing for so long hangs

plumb::HttpReply handle(const plumb::HttpRequest& request) {
  if (request.body.size() > kMostBody || request.method.empty()) __builtin_trap();
  return {200, request.path + "\n" + request.body, "text/plain"};
}

class Server {
 public:
  Server() {
    std::string folder = "/tmp/plumb-fuzz-XXXXXX";
    if (::mkdtemp(folder.data()) == nullptr) __builtin_trap();
    path_ = folder + "/http.sock";
    auto listening = plumb::listen_on(path_);
    if (!listening) __builtin_trap();
    auto server = plumb::HttpServer::start(*std::move(listening), {.handler = handle});
    if (!server) __builtin_trap();
    server_.emplace(*std::move(server));
  }
  ~Server() {
    server_.reset();
    ::unlink(path_.c_str());
    ::rmdir(path_.substr(0, path_.rfind('/')).c_str());
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  [[nodiscard]] UniqueFd connect() const {
    UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path_.copy(&address.sun_path[0], sizeof address.sun_path - 1);
    if (!fd || ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) __builtin_trap();
    return fd;
  }

 private:
  std::string path_;
  std::optional<plumb::HttpServer> server_;
};

// What the server says until it ends the connection, which our end of it asks for.
std::string exchange(const UniqueFd& fd, std::string_view bytes, std::size_t step) {
  while (!bytes.empty()) {
    const auto sent = ::send(fd.get(), bytes.data(), std::min(step, bytes.size()), MSG_NOSIGNAL);
    if (sent <= 0) break;  // it has had enough
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  ::shutdown(fd.get(), SHUT_WR);
  std::string out;
  std::array<char, 4096> buffer{};
  pollfd waiting{fd.get(), POLLIN, 0};
  while (true) {
    if (::poll(&waiting, 1, kPatienceMs) == 0) __builtin_trap();
    const auto got = ::read(fd.get(), buffer.data(), buffer.size());
    if (got <= 0) return out;
    out.append(buffer.data(), static_cast<std::size_t>(got));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Server server;
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto said = exchange(server.connect(), bytes, 1 + std::size_t{data[0]} * 16);
  if (!said.empty() && !said.starts_with("HTTP/1.")) __builtin_trap();
  static const std::string kGood =
      "POST /Plugin.Activate HTTP/1.1\r\nHost: \r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}";
  const auto answer = exchange(server.connect(), kGood, kGood.size());
  if (!answer.starts_with("HTTP/1.1 200") || !answer.ends_with("/Plugin.Activate\n{}")) __builtin_trap();
  return 0;
}
