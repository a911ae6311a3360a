// FakeEngine: a Unix socket that plays scripts of bytes: what a real engine cannot be made to do.
//
// The bodies of contract_test.cc run on it and on real engines alike. Threads: made and asked by one; it serves from
// threads of its own. Privilege: none.
#pragma once

#include <atomic>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "specs/value/unique_fd.h"
#include "tests/docker_client/scratch.h"

namespace plumb::test {

// One request and what is said to it.
struct Turn {
  std::string expect;               // how the request begins: "GET /v1.41/info"
  std::vector<std::string> answer;  // sent one after the other
};

// One connection, in the order of their arrival: its turns, and then what happens to it.
struct Talk {
  std::vector<Turn> turns;
  bool hang_up = false;  // close after the last turn; else the client closes
};

class FakeEngine {
 public:
  explicit FakeEngine(std::vector<Talk> talks);
  ~FakeEngine();
  FakeEngine(const FakeEngine&) = delete;
  FakeEngine& operator=(const FakeEngine&) = delete;

  [[nodiscard]] const std::string& socket() const { return socket_; }
  // Hangs up on every client now.
  void drop();
  // Head and body of every request so far.
  [[nodiscard]] std::vector<std::string> requests() const;
  // What did not go by the script; empty when all was well.
  [[nodiscard]] std::string problems() const;

 private:
  void serve();
  void talk(int fd, const Talk& talk);
  void complain(const std::string& problem);

  const std::vector<Talk> talks_;
  Scratch scratch_;
  std::string socket_;
  UniqueFd listener_;
  mutable std::mutex mutex_;
  std::vector<std::string> requests_;
  std::string problems_;
  std::vector<UniqueFd> connections_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

// "HTTP/1.1 STATUS ...", with the headers ("Name: value\r\n"), a Content-Length and the body.
[[nodiscard]] std::string answer(int status, const std::string& body, const std::string& headers = {});
// The head of an answer whose body is chunked, one chunk, and the end.
[[nodiscard]] std::string chunked_head(const std::string& headers = {});
[[nodiscard]] std::string chunk(const std::string& body);
inline const std::string kLastChunk = "0\r\n\r\n";
// A HEAD /_ping and its answer.
[[nodiscard]] Turn ping(const std::string& api_version = "1.41");

}  // namespace plumb::test
