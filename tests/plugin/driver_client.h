// A client of the driver's server that sends whatever bytes a test wants, and a folder for the socket.
//
// Threads: one at a time. Privilege: none.
#pragma once

#include <string>

#include "specs/unique_fd.h"

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

// A POST as old engines write it: an empty Host, no Content-Type.
[[nodiscard]] std::string post(const std::string& path, const std::string& body);

}  // namespace plumb::test
