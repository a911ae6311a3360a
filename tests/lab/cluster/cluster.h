// The lab's cluster (ci/lab cluster) as tests use it: Pacemaker's word on resources, and a service that it runs while
// the LAN is watched. n3 is where Pacemaker is asked: no test takes it away.
//
// Threads: one. Privilege: root, as Node.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <set>
#include <string>

#include "tests/lab/cluster/absence.h"
#include "tests/lab/cluster/owners.h"
#include "tests/lab/service.h"

namespace plumb::lab {

class Cluster {
 public:
  // Three nodes online, fencing works, no resource but `fencing`, no constraint, no failure remembered.
  Cluster();

  // A program on n3. Aborts the test program when it fails.
  std::string must(const Words& command) const { return seat_.must(command); }
  // Adds resources and what constrains them, at once: Pacemaker begins with both.
  void add(const std::string& resources, const std::string& constraints) const;
  void property(const std::string& name, const std::string& value) const;
  // Removes all resources and constraints that tests made, and waits until Pacemaker has stopped them.
  void clear() const;
  // Waits until Pacemaker has nothing to do.
  void settle() const;

  // Where Pacemaker says that each resource is started; of a clone all nodes. What is stopped is left out.
  [[nodiscard]] std::map<std::string, std::set<std::string>> everywhere() const;
  // The same for one.
  [[nodiscard]] std::set<std::string> where(const std::string& resource) const;
  [[nodiscard]] bool await_at(const std::string& resource, const std::set<std::string>& nodes,
                              std::chrono::milliseconds deadline = std::chrono::seconds(60)) const;
  // What an administrator reads: crm_mon's text.
  [[nodiscard]] std::string status() const;

 private:
  Node seat_{"n3"};
};

// The XML of a resource ocf:plumb:service, with operations short enough for a test.
// `migrates`: it is handed over, if its own file says that it may.
[[nodiscard]] std::string service_xml(const std::string& service, bool migrates = false);
// It may run on n1 and on n2, rather on n1; not on n3.
[[nodiscard]] std::string placed_xml(const std::string& resource);

// The service `web` on n1, with a client that asks and a LAN that is watched. Destroying it brings all nodes back.
class ClusterStage {
 public:
  explicit ClusterStage(const std::string& spec = shared_engine_spec(), bool migrates = false);
  ~ClusterStage();
  ClusterStage(const ClusterStage&) = delete;
  ClusterStage& operator=(const ClusterStage&) = delete;

  // The service runs once: on this node, as Pacemaker, the node's engine, the LAN and the client say, and on no other
  // that is up. Prints the line of the fault's absence.
  void check_runs_once_on(const std::string& node, const std::string& fault);
  // Never did two machines answer for the address.
  void check_one_owner() const;

  Cluster cluster;
  Service web;
  Owners owners{{"10.0.3.3"}};
  Absence absence{"10.0.3.3"};
};

}  // namespace plumb::lab
