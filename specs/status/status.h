// The state of a service on one node, judged from what was observed: the kernel's word counts, not only the engine's.
//
// Pure. Threads: any. Privilege: none.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "specs/plan/observed.h"
#include "specs/service/service.h"

namespace plumb {

enum class Availability {
  up,        // whole
  down,      // nothing of it is there
  degraded,  // some of it is there, or it is there and would not answer
  unknown,   // it could not be asked
  disabled,  // disable = true in the spec: not counted
};

[[nodiscard]] std::string_view to_string(Availability availability);

struct ResourceStatus {
  std::string id;
  std::string kind;  // "ip netns", "ip host", "container"
  Availability state = Availability::down;
  std::string label;                  // one line for people: "10.0.3.3/24 on eth0 (macvlan on eth0)"
  bool optional = false;              // its state does not count in the service's
  bool standby = false;               // up on every node; makes no service up that is not
  std::string joins;                  // the container whose namespace it lives in, if another's
  std::vector<std::string> problems;  // why it is not up, a sentence each
};

struct ServiceStatus {
  std::string service;
  std::string node;
  Availability state = Availability::down;
  std::string engine;  // "private, 20.10.24, unix:///run/plumb/svc1/docker.sock"; empty when no engine is needed
  std::vector<ResourceStatus> resources;
  std::vector<std::string> problems;  // of the service as a whole
};

[[nodiscard]] ServiceStatus evaluate(const Service& service, const Observed& seen);

}  // namespace plumb
