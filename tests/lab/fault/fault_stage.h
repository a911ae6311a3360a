// A service in a node of the lab as tests of faults use it: its configuration, plumb's verbs, and whether the node is
// as it was before.
//
// Threads: one. Privilege: root (it enters the node's namespaces).
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "tests/lab/node.h"

namespace plumb::lab {

// The documented exit codes of plumb.
enum Exit {
  exit_ok = 0,
  exit_failed = 1,
  exit_down = 3,
  exit_degraded = 4,
  exit_conflict = 5,
  exit_spec = 6,
  exit_permission = 7,
  exit_unreachable = 8,
  exit_interrupted = 130,
};

// The reference's micro-containers, with container#0 as pause and container#1 as nginx: sections that a test adds to
// or replaces.
struct Config {
  std::string defaults = {};    // further lines of [DEFAULT]
  std::string ip = {};          // further lines of [ip#0]
  std::string container0 = {};  // further lines of [container#0]
  std::string container1 = {};  // further lines of [container#1]
  std::string ipdev = "eth0";
  std::string gateway = "10.0.3.1";
  std::string image = "nginx";  // of container#1

  [[nodiscard]] std::string text() const;
};

class Stage {
 public:
  static constexpr std::string_view kAddress = "10.0.3.3";

  // Writes the configuration and remembers what is in the node. `name` is the service's.
  Stage(std::string name, const Config& config);
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;
  // Clears up after a test that has failed, too.
  ~Stage();

  const Node& node() const { return node_; }
  [[nodiscard]] const std::string& name() const { return name_; }
  void configure(const Config& config) const;

  // `plumb VERB NAME`, with words before it: "strace" and its options, for example. A verb may have its options behind
  // it: "activate --force".
  [[nodiscard]] Words command(const std::string& verb, const Words& before = {}) const;
  Outcome plumb(const std::string& verb, const Words& before = {}) const;
  [[nodiscard]] Running begin(const std::string& verb, const Words& before = {}) const;

  // Remembers what is in the node now.
  void remember();
  // What differs from what was remembered; empty when all is as before. Containers, links, addresses and routes must be
  // so at once. What an engine ends behind its answer (its shims' processes, namespaces and mounts) is waited for.
  [[nodiscard]] std::string changed() const;

  // The client's request for nginx's page is answered by the service.
  [[nodiscard]] bool answers() const;

 private:
  [[nodiscard]] State state() const;

  Node node_{"n1"};
  Node client_{"client"};
  std::string name_;
  std::string file_;
  Words engines_;
  State before_;
};

}  // namespace plumb::lab
