// The driver of a node as the tests of its faults use it: on a socket that outlives it or on its own, killed at a
// system call, spoken to without an engine; and whether engine, kernel and the driver's files agree afterwards.
//
// Threads: one for each object; call() is safe from any. Privilege: root, as Node.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <csignal>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "specs/value/unique_fd.h"
#include "tests/lab/fault/fault_stage.h"
#include "tests/lab/node.h"

namespace plumb::lab {

// Where Docker looks for the driver, and where the driver keeps its records when it is not told otherwise.
inline const std::string kDriverSocket = "/run/docker/plugins/plumb.sock";
inline const std::string kDriverState = "/var/lib/plumb/driver";

// A socket at the driver's place that listens whether there is a driver or not, as systemd's does.
class LastingSocket {
 public:
  explicit LastingSocket(const Node& node);
  LastingSocket(const LastingSocket&) = delete;
  LastingSocket& operator=(const LastingSocket&) = delete;
  ~LastingSocket();
  [[nodiscard]] int fd() const { return fd_.get(); }

 private:
  Node node_;
  UniqueFd fd_;
};

struct DriverHow {
  const LastingSocket* socket = nullptr;  // none: it makes its own
  std::string kill_at = {};               // what kill_at is told: LIST or N
  std::string state = kDriverState;
  bool settled = true;       // waits until it has looked at what was there before
  unsigned descriptors = 0;  // so many at most; 0: as the test's own
};

// A driver that is ready. Destroying it ends it in order; a test that needs its end uses end().
class Driver {
 public:
  // Throws std::runtime_error when it does not become ready, with what it wrote.
  explicit Driver(const Node& node, const DriverHow& how = {});
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;
  ~Driver();

  // kill_at counts its calls from now on.
  void count() const { running_.signal(SIGUSR1); }
  // Its end by that signal; or the one that it came to by itself, which is waited for (signal 0).
  Outcome end(int signal);
  // Of the driver itself, not of kill_at.
  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] const Running& running() const { return running_; }
  // Entries of its /proc/PID/status in KiB, or as a number: "VmRSS", "Threads".
  [[nodiscard]] long status(const std::string& entry) const;
  [[nodiscard]] std::size_t descriptors() const;
  // What it has said.
  [[nodiscard]] std::string log() const;

 private:
  // Where it says that it is ready, and that it ends.
  Node node_;
  std::string notify_path_;
  UniqueFd notify_;
  std::size_t said_before_;  // by others, in the same file
  Running running_;
  pid_t pid_;
  bool ended_ = false;
};

// Waits until either has ended; true: the first one has.
bool ends_first(const Running& first, const Running& second);

// An answer of the driver's to a call. Status 0: the connection ended without one.
struct Answer {
  int status = 0;
  std::string body;
  std::chrono::nanoseconds took{};
  // Its Err, or empty.
  [[nodiscard]] std::string error() const;
};

// POST /METHOD on a connection of its own, as an engine does it. Gives up after 30 s (status 0).
Answer call(const Node& node, const std::string& method, const std::string& body);
// A connection to the driver, for clients that behave badly.
UniqueFd connect_to_driver(const Node& node);

// A plumb network of the engine; all containers of the tests, and it, are removed when the object is.
class EngineNetwork {
 public:
  // `docker network create` with the lab's subnet and these arguments. A driver has to run.
  EngineNetwork(Node node, std::string name, const Words& more = {});
  EngineNetwork(const EngineNetwork&) = delete;
  EngineNetwork& operator=(const EngineNetwork&) = delete;
  ~EngineNetwork();

  [[nodiscard]] const std::string& name() const { return name_; }
  static Words create(const std::string& name, const Words& more = {});
  // docker run of nginx on it.
  [[nodiscard]] Words run(const std::string& container, const std::string& address, const Words& more = {}) const;

 private:
  Node node_;
  std::string name_;
};

// Removes every container and every plumb network of the node. A driver has to run.
void clear_engine(const Node& node);
// `docker inspect -f FORMAT`; empty when there is no such container.
std::string inspect(const Node& node, const std::string& container, const std::string& format);
// nginx of that very container answers the client on the address; asked again for some seconds, for nginx to start.
bool reaches(const std::string& address, const std::string& container);

// Where the engine's word of its plumb networks and running containers, the kernel and the driver's files differ;
// empty when they agree. Addresses that are given to nobody yet are not compared.
std::string agree(const Node& node);
// Endpoint links in the node's own namespace, one name for each line: none while nothing starts or stops.
std::string links_on_node(const Node& node);
// Files of the driver's folder but its lock: "endpoints/ID.json".
std::vector<std::string> records(const Node& node, const std::string& state = kDriverState);

}  // namespace plumb::lab
