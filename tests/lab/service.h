// A service on the lab's nodes, as the tests of the product use it: its spec on each node, plumb's verbs, the client.
//
// Threads: one. Privilege: root, as Node.
#pragma once

#include <string>

#include "tests/lab/node.h"

namespace plumb::lab {

// The micro-container service of the reference, as it stands there.
[[nodiscard]] std::string reference_spec();
// The same on the node's own engine: without the line docker_data_dir.
[[nodiscard]] std::string shared_engine_spec();
// `spec` with the first line that begins with `from` replaced by `to`.
[[nodiscard]] std::string edited(std::string spec, const std::string& from, const std::string& to);

class Service {
 public:
  // Writes the spec as /etc/plumb/NAME.conf on n1, n2 and n3. Destroying it stops the service there and removes the
  // specs and what containers are kept.
  Service(std::string name, const std::string& spec);
  ~Service();
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  // plumb VERB NAME on the node.
  Outcome plumb(const Node& node, const std::string& verb, const Words& more = {}) const;
  // Removes the containers that a stop keeps: those without rm, and one that they join, which some engines keep for
  // them.
  void remove_kept(const Node& node) const;
  [[nodiscard]] const std::string& name() const { return name_; }
  // The socket of the service's private engine.
  [[nodiscard]] std::string engine() const { return "unix:///run/plumb/" + name_ + "/docker.sock"; }
  // What is on the node, but for plumb's lock files.
  [[nodiscard]] State state(const Node& node) const;

 private:
  std::string name_;
};

// The program under test.
[[nodiscard]] std::string program();

// The resource agent on the node, with the program that it runs: copies in the node's own files, where everybody may
// read them. Where the clone lies, only its owner may: Pacemaker and ocf-tester drop privileges.
[[nodiscard]] std::string installed_agent(const Node& node);

// Whether nginx answers the client on the address, now or as soon as it listens there.
[[nodiscard]] bool answers(const std::string& address);

}  // namespace plumb::lab
