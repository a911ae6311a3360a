// Another port of the LAN for a node: a device that nobody has configured. Gone when the object is.
//
// Threads: one. Privilege: root, as Node.
#pragma once

#include <string>

#include "tests/lab/node.h"

namespace plumb::lab {

class ExtraPort {
 public:
  ExtraPort(const std::string& node, std::string device);
  ExtraPort(const ExtraPort&) = delete;
  ExtraPort& operator=(const ExtraPort&) = delete;
  ~ExtraPort();

  [[nodiscard]] const Node& node() const { return node_; }
  // What `ip -d link` says of it on the node; empty when it is not there.
  [[nodiscard]] std::string look() const;

 private:
  Node node_;
  std::string device_;
};

}  // namespace plumb::lab
