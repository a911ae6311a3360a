// StalledEngine: a node's engine that takes calls and answers none, for as long as the object lives. What it has
// started runs on, and so do private engines.
//
// Threads: one. Privilege: root, as Node.
#pragma once

#include <string>

#include "tests/lab/node.h"

namespace plumb::lab {

class StalledEngine {
 public:
  explicit StalledEngine(const Node& node) : node_(node) { signal("STOP"); }
  ~StalledEngine() { signal("CONT"); }
  StalledEngine(const StalledEngine&) = delete;
  StalledEngine& operator=(const StalledEngine&) = delete;

 private:
  void signal(const std::string& name) const {
    node_.run(
        {"bash", "-c", "engine=$(cat /run/docker.pid); kill -" + name + " $engine $(pgrep -x -P $engine containerd)"});
  }
  const Node& node_;
};

}  // namespace plumb::lab
