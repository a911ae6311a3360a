#include "tests/docker_client/fake_engine.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cstdlib>
#include <cstring>

#include "docker_client/curl.h"

namespace plumb::test {

namespace {

// Reads one request; an empty text at the end of the connection.
std::string read_request(int fd) {
  std::string text;
  std::size_t whole = std::string::npos;
  std::array<char, 65536> buffer{};
  for (;;) {
    const std::size_t head = text.find("\r\n\r\n");
    if (head != std::string::npos && whole == std::string::npos) {
      const std::size_t length = text.find("Content-Length: ");
      whole = head + 4 + (length < head ? std::strtoul(text.c_str() + length + 16, nullptr, 10) : 0);
    }
    if (text.size() >= whole) return text;
    const ssize_t got = ::recv(fd, buffer.data(), buffer.size(), 0);
    if (got <= 0) return {};
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
}

}  // namespace

FakeEngine::FakeEngine(std::vector<Talk> talks) : talks_(std::move(talks)), socket_(scratch_.path() + "/fake.sock") {
  // A busy machine takes longer to load it than the shortest deadlines of the tests, and it is loaded but once.
  if (!docker::load_curl()) std::abort();
  listener_.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(static_cast<char*>(address.sun_path), socket_.c_str(), sizeof address.sun_path - 1);
  if (::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(listener_.get(), 16) != 0) {
    std::perror("fake engine");
    std::abort();
  }
  acceptor_ = std::thread([this] { serve(); });
}

FakeEngine::~FakeEngine() {
  ::shutdown(listener_.get(), SHUT_RDWR);
  acceptor_.join();
  drop();
  for (std::thread& thread : threads_) thread.join();
}

void FakeEngine::drop() {
  const std::lock_guard lock(mutex_);
  for (const UniqueFd& connection : connections_) ::shutdown(connection.get(), SHUT_RDWR);
}

void FakeEngine::serve() {
  for (std::size_t i = 0;; ++i) {
    UniqueFd connection(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!connection) return;
    if (i >= talks_.size()) {
      complain("connection " + std::to_string(i) + " is not in the script");
      continue;
    }
    const int fd = connection.get();
    const std::lock_guard lock(mutex_);
    connections_.push_back(std::move(connection));
    threads_.emplace_back([this, fd, i] { talk(fd, talks_[i]); });
  }
}

void FakeEngine::talk(int fd, const Talk& script) {
  for (const Turn& turn : script.turns) {
    const std::string request = read_request(fd);
    if (request.empty()) {
      complain("the client closed instead of " + turn.expect);
      return;
    }
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(request);
    }
    if (!request.starts_with(turn.expect)) {
      complain("expected " + turn.expect + ", got " + request.substr(0, request.find('\r')));
    }
    for (const std::string& piece : turn.answer) {
      if (::send(fd, piece.data(), piece.size(), MSG_NOSIGNAL) < 0) return;
    }
  }
  if (script.hang_up) {
    ::shutdown(fd, SHUT_RDWR);
    return;
  }
  const std::string more = read_request(fd);
  if (!more.empty()) complain("not in the script: " + more.substr(0, more.find('\r')));
}

void FakeEngine::complain(const std::string& problem) {
  const std::lock_guard lock(mutex_);
  problems_ += problem + "\n";
}

std::vector<std::string> FakeEngine::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

std::string FakeEngine::problems() const {
  const std::lock_guard lock(mutex_);
  return problems_;
}

std::string answer(int status, const std::string& body, const std::string& headers) {
  return "HTTP/1.1 " + std::to_string(status) + " X\r\n" + headers + "Content-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}

std::string chunked_head(const std::string& headers) {
  return "HTTP/1.1 200 OK\r\n" + headers + "Transfer-Encoding: chunked\r\n\r\n";
}

std::string chunk(const std::string& body) {
  std::array<char, 20> size{};
  std::snprintf(size.data(), size.size(), "%zx\r\n", body.size());
  return size.data() + body + "\r\n";
}

Turn ping(const std::string& api_version) {
  return {"HEAD /_ping HTTP/1.1", {"HTTP/1.1 200 OK\r\nApi-Version: " + api_version + "\r\nContent-Length: 2\r\n\r\n"}};
}

}  // namespace plumb::test
