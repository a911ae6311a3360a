// The node's Open vSwitch: which bridges it has, and the ports on them that are a service's.
//
// By running ovs-vsctl, the one way to it that every installation has; with arguments, never through a shell. A port
// names its service and its resource in its interface's external_ids, so that whoever comes later finds it, also when
// its link is gone: the switch's database keeps it then. Threads: safe from any. Privilege: access to the database's
// socket (root).
#pragma once

#include <optional>
#include <string>

#include "specs/plan/observed.h"
#include "specs/value/result.h"

namespace plumb {

// The bridges, and the ports of the service. An error is in the result.
[[nodiscard]] ObservedSwitch observe_switch(const std::string& service);

struct SwitchPort {
  std::string service;
  std::string resource;  // "ip#0"
  std::string bridge;
  std::string device;  // of the node
  std::optional<unsigned> vlan_tag;
  std::string vlan_mode;  // "access", "native-tagged", "native-untagged"; empty: the switch's default
};

// Adds the port, after those that an earlier start left for the same resource are removed. Errors: the switch's own
// words; not_found when it is not installed; unreachable when it has not answered within 5 s.
[[nodiscard]] Result<void> add_switch_port(const SwitchPort& port);

// Removes all ports of the resource. None is a success. Errors: as above.
[[nodiscard]] Result<void> release_switch_ports(const std::string& service, const std::string& resource);

}  // namespace plumb
