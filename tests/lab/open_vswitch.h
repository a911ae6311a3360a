// Open vSwitch on a node, with its datapath in the process where the kernel has none. Ended when the object is.
//
// Threads: one. Privilege: root, as Node.
#pragma once

#include <optional>
#include <string>

#include "tests/lab/node.h"

namespace plumb::lab {

class OpenVswitch {
 public:
  explicit OpenVswitch(Node node);
  OpenVswitch(const OpenVswitch&) = delete;
  OpenVswitch& operator=(const OpenVswitch&) = delete;
  ~OpenVswitch();

  // ovs-vsctl; returns its output. Aborts the test program when it fails.
  std::string must(const Words& arguments) const;

 private:
  Node node_;
  std::optional<Running> database_;
  std::optional<Running> switch_;
};

}  // namespace plumb::lab
