#include "tests/plugin/daemon/http_client.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>

namespace plumb::test {

SocketFolder::SocketFolder() : path_("/tmp/plumb-http-XXXXXX") {
  if (::mkdtemp(path_.data()) == nullptr) {
    std::perror("mkdtemp");
    std::abort();
  }
}

SocketFolder::~SocketFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

driver::Reply echo(const driver::Request& request) {
  return {.body = request.method + " " + request.path + " " + std::to_string(request.body.size()) + " " + request.body};
}

Server::Server(driver::Handler handler) : path_(folder_ / "d.sock") {
  auto listening = driver::listen_on(path_);
  REQUIRE(listening);
  auto server = driver::HttpServer::start(std::move(*listening), std::move(handler));
  REQUIRE(server);
  server_.emplace(std::move(*server));
}

Client::Client(const std::string& path) : fd_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  // A test that would wait for ever fails instead.
  const timeval limit{20, 0};
  ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  ::setsockopt(fd_.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(static_cast<char*>(address.sun_path), path.c_str(), sizeof address.sun_path - 1);
  if (::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) fd_.reset();
}

bool Client::send(const std::string& bytes) const {
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t sent = ::send(fd_.get(), bytes.data() + done, bytes.size() - done, MSG_NOSIGNAL);
    if (sent <= 0) return false;
    done += static_cast<std::size_t>(sent);
  }
  return true;
}

bool Client::fill() {
  std::array<char, 65536> some{};
  const ssize_t got = ::recv(fd_.get(), some.data(), some.size(), 0);
  if (got <= 0) return false;
  buffer_.append(some.data(), static_cast<std::size_t>(got));
  return true;
}

Answer Client::read(bool body) {
  std::size_t end = std::string::npos;
  while ((end = buffer_.find("\r\n\r\n")) == std::string::npos)
    if (!fill()) return {};
  Answer answer;
  answer.head = buffer_.substr(0, end + 2);
  buffer_.erase(0, end + 4);
  answer.status = std::atoi(answer.head.substr(answer.head.find(' ')).c_str());  // NOLINT(cert-err34-c)
  const std::size_t length = answer.head.find("\r\nContent-Length: ");
  if (!body || length == std::string::npos) return answer;
  const std::size_t size = std::strtoul(answer.head.c_str() + length + 18, nullptr, 10);
  while (buffer_.size() < size)
    if (!fill()) return {};
  answer.body = buffer_.substr(0, size);
  buffer_.erase(0, size);
  return answer;
}

Answer Client::ask(const std::string& request) {
  send(request);
  return read();
}

bool Client::ended() {
  if (!buffer_.empty()) return false;
  char byte = 0;
  const ssize_t got = ::recv(fd_.get(), &byte, 1, 0);
  return got == 0 || (got < 0 && errno == ECONNRESET);
}

CapturedStderr::CapturedStderr()
    : before_(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3)), file_(::memfd_create("stderr", MFD_CLOEXEC)) {
  ::dup2(file_.get(), STDERR_FILENO);
}

CapturedStderr::~CapturedStderr() { ::dup2(before_.get(), STDERR_FILENO); }

std::string CapturedStderr::text() const {
  std::array<char, 4096> some{};
  const ssize_t got = ::pread(file_.get(), some.data(), some.size(), 0);
  return {some.data(), static_cast<std::size_t>(got < 0 ? 0 : got)};
}

std::string post(const std::string& path, const std::string& body) {
  return "POST " + path + " HTTP/1.1\r\nHost: \r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

}  // namespace plumb::test
