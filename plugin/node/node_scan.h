// A look at all of a node: who runs in which network namespace and control group, and which addresses each namespace
// has.
//
// Threads: one; it makes and joins its own. Privilege: CAP_SYS_ADMIN and CAP_SYS_PTRACE, to enter the namespaces.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "netns/link/link.h"
#include "netns/namespace/namespace.h"
#include "specs/value/ip.h"

namespace plumb {

struct NodeScan {
  // A namespace that a process is in, other than the node's own.
  struct Inhabited {
    pid_t pid = 0;  // one of them
    std::optional<std::uint64_t> cookie;
  };
  // One that is bound to a file, without a process.
  struct Abandoned {
    netns::Namespace ns;
    std::optional<std::uint64_t> cookie;
    std::set<IpAddress> addresses;
  };

  std::set<IpAddress> own;        // the addresses of the node's own namespace
  std::set<IpAddress> elsewhere;  // of those that are inhabited
  std::map<netns::NamespaceId, Inhabited> inhabited;
  std::map<std::string, pid_t> cgroups;  // that a process is in, as /proc/PID/cgroup has them, with one of them
  std::vector<Abandoned> abandoned;      // only when `complete`
  bool complete = true;                  // false: something could not be looked at
};

[[nodiscard]] NodeScan scan_node();

// A device in a network namespace other than the node's own that is on one of the node's, such as an ipvlan.
struct UpperElsewhere {
  netns::Link link;  // its parent_index counts in the node's namespace
  netns::NamespaceId ns;
  pid_t pid = 0;  // a process in that namespace; 0: none is
};

// All of them, as far as the namespaces can be looked into: those of processes and those that are bound to a file.
[[nodiscard]] std::vector<UpperElsewhere> uppers_elsewhere();
// Its owner, for a message: "process 4711 (nginx)", or "a network namespace without a process".
[[nodiscard]] std::string whose(const UpperElsewhere& upper);

// Whether a path in NodeScan::cgroups is that of a container: engines put its id, 64 hexadecimal digits, into it.
[[nodiscard]] bool is_container_cgroup(std::string_view path);

}  // namespace plumb
