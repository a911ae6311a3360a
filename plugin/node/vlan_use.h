// VLAN devices of the node that plumb makes on demand, shares and removes with their last user.
//
// A user is a further name of the device (specs/service/uplink.h). Threads: the caller holds lock_node_links(), and the
// socket is its own. Privilege: CAP_NET_ADMIN.
#pragma once

#include <string>

#include "netns/link/link.h"
#include "netns/socket/route_socket.h"
#include "specs/service/uplink.h"
#include "specs/value/result.h"

namespace plumb {

// Whether the device that has the name is the one that is meant where a tag was asked for: a VLAN of that tag on that
// device. One that is named as it is may be anything. Errors: refused.
[[nodiscard]] Result<void> check_is_vlan(netns::RouteSocket& node, const VlanDevice& vlan, const netns::Link& device);

// Makes the device if it is missing, and adds the user. An administrator's own device is used as it is and gets none.
[[nodiscard]] Result<void> join_vlan(netns::RouteSocket& node, const VlanDevice& vlan, const std::string& user);
// Takes the user off, and the device with the last. What is not there is a success.
[[nodiscard]] Result<void> leave_vlan(netns::RouteSocket& node, const std::string& device, const std::string& user);

}  // namespace plumb
