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
#include "plugin/watch/node_reading.h"

namespace plumb::watch {

struct Task {
  std::string service;
  std::string lane;  // that it has a place in (plugin/watch/turns.h)
  Time since;        // what is looked at has to be as it was then, or later
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
  std::set<std::string> ports;          // of bridges, that it has there; and the node's own ways to it
  std::set<IpAddress> addresses;        // that matter to it when they are, or are not, on the node
  bool node_routes = false;             // it has a route in the node's own namespace
  std::string lane;                     // that it belongs to; if it is another one than the task's, only this was found
  std::string engine_socket;            // empty: it needs none
  std::string engine_pid_file;          // of one of its own
};

// What all tasks share.
struct HealContext {
  Metrics& metrics;
  const ClaimContext& claims;
  bool timing = false;  // the critical path is said, too
  NodeReading& node;
  std::stop_token stop;
  std::function<void()> waits;  // the task needs its place no more: it waits for a verb
};

// The lane of those whose own is not known yet: to find it is a matter of a file.
inline const std::string kNoLaneYet = "?";

// Looks, heals, and looks again, until there is nothing to do or it has to wait. Errors are in what it found. Ends
// within a second of the stop: of what is begun then, the next start or watcher makes the rest.
[[nodiscard]] Finding look_after(Task task, const HealContext& context);

}  // namespace plumb::watch
