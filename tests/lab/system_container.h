// The container vm1 of a node, made by other means than plumb: with an init and an address of its own on the LAN, and
// nginx on every address that it has. It is made, not started; destroying it removes it.
//
// Threads: one. Privilege: root, as Node.
#pragma once

#include <string>

#include "tests/lab/node.h"

namespace plumb::lab {

class SystemContainer {
 public:
  SystemContainer(const std::string& node, const std::string& address);
  SystemContainer(const SystemContainer&) = delete;
  SystemContainer& operator=(const SystemContainer&) = delete;
  ~SystemContainer();

  [[nodiscard]] const Node& node() const { return node_; }
  // The engine's word: created, running, exited.
  [[nodiscard]] std::string state() const;
  // The IPv4 addresses of its eth0, while it runs.
  [[nodiscard]] std::string addresses() const;

 private:
  [[nodiscard]] std::string inspect(const std::string& format) const;

  Node node_;
};

}  // namespace plumb::lab
