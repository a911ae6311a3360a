// A node of the lab (ci/lab) as tests use it: run programs in it, write its files, compare what is in it before and
// after.
//
// Threads: any; each call is on its own. Privilege: root (it enters namespaces).
// The lab is named by PLUMB_LAB, as for ci/lab; ctest makes it before the first test and removes it after the last.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "specs/value/unique_fd.h"

namespace plumb::lab {

using Words = std::vector<std::string>;

// The stage of a test cannot be set: throws std::runtime_error. The test case ends, and with it what it has started, so
// that the next one finds the lab as it should be. The second adds the text of errno.
[[noreturn]] void give_up(const std::string& what);
[[noreturn]] void give_up_errno(const std::string& what);

// Tries again, for what tells nobody when it changes; false at the deadline.
[[nodiscard]] bool becomes(const std::function<bool()>& so, std::chrono::milliseconds deadline);

// How a program ended, and what it wrote.
struct Outcome {
  int exit_code = -1;      // of exit(2), or 128 + signal
  bool timed_out = false;  // killed at the deadline
  std::string out;
  std::string err;
  std::chrono::nanoseconds took{};  // from the fork to the end
};

// A program that runs in a node. Destroying it kills the program (not what it forked).
class Running {
 public:
  Running(pid_t pid, UniqueFd out, UniqueFd err);
  Running(Running&& other) noexcept;
  Running& operator=(Running&&) = delete;
  ~Running();

  // The pid outside of the node's pid namespace.
  [[nodiscard]] pid_t pid() const { return pid_; }
  void signal(int number) const;
  // Reads what it writes on stdout until `text` is part of it; false when the program ends, or at the deadline, first.
  bool await_output(std::string_view text, std::chrono::milliseconds deadline);
  // The same for stderr.
  bool await_errors(std::string_view text, std::chrono::milliseconds deadline);
  // What it has written on stderr so far.
  const std::string& errors();
  // What it has written so far, as far as it was read; after forget_output() only what comes later.
  [[nodiscard]] const std::string& output() const { return outcome_.out; }
  void forget_output() { outcome_.out.clear(); }
  // Waits for its end, and kills it at the deadline.
  Outcome wait(std::chrono::milliseconds deadline = std::chrono::seconds(60));

 private:
  bool read_some(std::chrono::steady_clock::time_point until);
  bool await(const std::string& stream, std::string_view text, std::chrono::milliseconds deadline);

  pid_t pid_;
  UniqueFd process_;
  UniqueFd out_;
  UniqueFd err_;
  std::chrono::steady_clock::time_point begin_;
  Outcome outcome_;
};

// What is in a node, by kind: containers, links, addresses, routes, namespaces, mounts, processes, files.
using State = std::map<std::string, std::set<std::string>>;

// The lines that are only in one of the two, with `-` and `+`, by kind; empty when they are equal.
std::string difference(const State& before, const State& after);

// The same for what `look` sees now. Containers, links, addresses and routes must be as before at once; what an engine
// ends behind its answer (its shims' processes, namespaces and mounts) is waited for.
std::string difference_to_now(const State& before, const std::function<State()>& look);

class Node {
 public:
  // n1, n2, n3, client, lan or rival. Throws std::runtime_error when it is not up: nothing could be tested.
  explicit Node(std::string name);

  [[nodiscard]] const std::string& name() const { return name_; }
  // Whether the node is up: not after `ci/lab kill`, or a fencing.
  [[nodiscard]] static bool is_up(const std::string& name);
  // The pid whose namespaces are the node's.
  [[nodiscard]] pid_t pid() const;
  // Puts the calling thread into the node's network namespace: sockets that it makes from then on are the node's.
  void enter_network() const;

  // Starts a program (found in the node's PATH, or relative to the test's working directory) with empty stdin.
  // `environment` is added to the node's own: PATH, HOME and the sanitizers' options.
  [[nodiscard]] Running start(const Words& command, const Words& environment = {}) const;
  // Runs it to its end; kills it at the deadline.
  Outcome run(const Words& command, std::chrono::milliseconds deadline = std::chrono::seconds(60)) const;
  // Runs it, and throws std::runtime_error when it fails: for steps that set the stage. Returns stdout.
  std::string must(const Words& command) const;
  // Whether its kernel makes devices of that kind ("ipvlan", "vlan id 5") upon another one.
  [[nodiscard]] bool knows(const std::string& kind) const;

  // Writes a file of the node, with its folders; `path` is absolute and as the node sees it.
  void write(const std::string& path, std::string_view text) const;
  void remove(const std::string& path) const;
  // What the node's Docker Engine has said since the node is up.
  [[nodiscard]] std::string engine_log() const;

  // The path by which the test itself reaches a file of the node.
  [[nodiscard]] std::string outside(const std::string& path) const;

  // `engines`: sockets of private engines whose containers count, too.
  [[nodiscard]] State state(const Words& engines = {}) const;

 private:
  std::string name_;
};

// Runs `ci/lab COMMAND...`: cut, mend, kill, engine, rival, registry. Throws std::runtime_error when it fails. Returns
// stdout.
std::string lab(const Words& command);

}  // namespace plumb::lab
