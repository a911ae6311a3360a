// The watcher as tests use it, and what they ask of the service that it watches.
//
// Threads: one. Privilege: root, as Node.
#pragma once

#include <doctest/doctest.h>

#include <chrono>
#include <csignal>
#include <string>
#include <string_view>

#include "tests/lab/service.h"

namespace plumb::lab {

inline const std::string kServiceAddress = "10.0.3.3";
constexpr std::chrono::seconds kSoon{30};  // a busy machine is no failure

// `plumb watch` on a node. Its log comes on its standard output.
class Watch {
 public:
  explicit Watch(const Node& node, const std::string& options = {})
      : running_(node.start({"bash", "-c", "exec " + program() + " watch " + options + " 2>&1"})) {
    REQUIRE(says("ready"));
  }
  // It says so, after the last forget().
  bool says(std::string_view text, std::chrono::milliseconds deadline = kSoon) {
    return running_.await_output(text, deadline);
  }
  void forget() { running_.forget_output(); }
  [[nodiscard]] const std::string& log() const { return running_.output(); }
  [[nodiscard]] pid_t pid() const { return running_.pid(); }
  void signal(int number) const { running_.signal(number); }
  Outcome end() {
    running_.signal(SIGTERM);
    return running_.wait(std::chrono::seconds(10));
  }

 private:
  Running running_;
};

inline std::string pid_of(const Node& node, const std::string& container) {
  std::string pid = node.must({"docker", "inspect", "-f", "{{.State.Pid}}", container});
  pid.pop_back();
  return pid;
}

// The claim of the address has outlived its first three seconds: from now on it yields to nobody who says no hello.
inline bool is_confirmed(const Node& node, const std::string& service, const std::string& address) {
  return becomes(
      [&] {
        const std::string book = node.run({"cat", "/run/plumb/" + service + ".claims"}).out;
        const auto at = book.find(address + " ");
        return at != std::string::npos && book.at(at + address.size() + 1) != '0';
      },
      kSoon);
}

// nginx answers, or is about to: a container runs before its program listens.
inline bool answers_at_last() {
  const auto got = Node("client").run(
      {"curl", "-s", "--retry", "5", "--retry-connrefused", "--max-time", "10", "http://" + kServiceAddress + "/"});
  return got.exit_code == 0 && got.out.find("Welcome to nginx!") != std::string::npos;
}

// The network namespace of a container, by its inode.
inline std::string namespace_of(const Node& node, const std::string& container) {
  return node.must({"readlink", "/proc/" + pid_of(node, container) + "/ns/net"});
}

}  // namespace plumb::lab
