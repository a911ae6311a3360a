// The driver's server on a socket of a test's own, and a client that sends it whatever bytes a test wants.
//
// Threads: each object is used by one at a time. Privilege: none.
#pragma once

#include <optional>
#include <string>

#include "plugin/daemon/http_server.h"
#include "specs/value/unique_fd.h"

namespace plumb::test {

// A folder of a test's own, removed with what is in it.
class SocketFolder {
 public:
  SocketFolder();
  ~SocketFolder();
  SocketFolder(const SocketFolder&) = delete;
  SocketFolder& operator=(const SocketFolder&) = delete;
  [[nodiscard]] std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

// Says what it was asked: method, path, size of the body, body.
[[nodiscard]] driver::Reply echo(const driver::Request& request);

class Server {
 public:
  explicit Server(driver::Handler handler = echo);
  [[nodiscard]] const std::string& path() const { return path_; }
  void stop() { server_.reset(); }

 private:
  SocketFolder folder_;
  std::string path_;
  std::optional<driver::HttpServer> server_;
};

struct Answer {
  int status = 0;  // 0: the connection ended before an answer
  std::string head;
  std::string body;
};

class Client {
 public:
  explicit Client(const std::string& path);

  // False: the server does not take it.
  bool send(const std::string& bytes) const;
  // The next answer; to a HEAD there comes no body.
  [[nodiscard]] Answer read(bool body = true);
  Answer ask(const std::string& request);
  // Whether the server ends the connection, which is waited for, without a further byte.
  [[nodiscard]] bool ended();
  void close() { fd_.reset(); }
  [[nodiscard]] int fd() const { return fd_.get(); }

 private:
  bool fill();

  UniqueFd fd_;
  std::string buffer_;
};

// What is written to stderr while it lives.
class CapturedStderr {
 public:
  CapturedStderr();
  ~CapturedStderr();
  CapturedStderr(const CapturedStderr&) = delete;
  CapturedStderr& operator=(const CapturedStderr&) = delete;
  [[nodiscard]] std::string text() const;

 private:
  UniqueFd before_;
  UniqueFd file_;
};

// A POST as old engines write it: an empty Host, no Content-Type.
[[nodiscard]] std::string post(const std::string& path, const std::string& body);

}  // namespace plumb::test
