// Looking at one service, and making it whole: the work of the watcher that takes time.
//
// Threads: each call on a thread of its own; one at a time for each service. Privilege: that of the verb start.
#pragma once

#include <functional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "plugin/verb/started.h"
#include "plugin/verb/verb.h"
#include "plugin/watch/decision.h"
#include "plugin/watch/metrics.h"
#include "plugin/watch/namespace_watch.h"

namespace plumb::watch {

struct Task {
  std::string service;
  Memory memory;
  std::set<std::string> present;  // keys of the watches that there are
};

struct Finding {
  std::string service;
  bool started = false;  // false: it is not started any more, and nothing else of this counts
  bool ailing = false;   // it is not as it should be
  bool away = false;     // its engine does not answer
  Memory memory;
  std::optional<Time> due;              // look again then
  std::vector<NamespaceWatch> watches;  // new ones
  bool looked = false;                  // `wanted` counts
  std::set<std::string> wanted;         // the keys of all watches that there should be
  std::set<IpAddress> adopted;          // addresses that a verb has put back, though their claims had them off
  std::set<std::string> uplinks;        // devices of the node that it needs
  std::set<std::string> ports;          // of bridges, that it has there
  bool on_node = false;                 // it has an address or a route in the node's own namespace
  bool node_routes = false;             // a route
  std::string engine_socket;            // empty: it needs none
  std::string engine_pid_file;          // of one of its own
};

// What all tasks share.
struct HealContext {
  Metrics& metrics;
  const ClaimContext& claims;
  bool timing = false;  // the critical path is said, too
  std::stop_token stop;
};

// Looks, heals, and looks again, until there is nothing to do or it has to wait.
[[nodiscard]] Finding look_after(Task task, const HealContext& context);

}  // namespace plumb::watch
