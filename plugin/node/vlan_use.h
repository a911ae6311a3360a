// VLAN devices of the node that plumb makes on demand, shares and removes with their last user.
//
// Who uses one stands in its file (plugin/node/vlan_users.h); of 0.2.0, among the device's names. Threads: the
// caller holds lock_node_links() where something is changed, and the socket is its own. Privilege: CAP_NET_ADMIN, and
// write access to the run directory.
#pragma once

#include <string>
#include <vector>

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
// Takes the user off, and the device with the last. What is not there is a success. A user whose service has nothing in
// the run directory any more keeps no device on which there is nothing.
[[nodiscard]] Result<void> leave_vlan(netns::RouteSocket& node, const std::string& device, const std::string& user);

// Who uses the device, however it is kept; of an administrator's own device, nobody. These three are what the two above
// do to a device of any kind. Errors: unsupported, of a later plumb's file: nothing was touched.
[[nodiscard]] Result<std::vector<std::string>> vlan_users(const netns::Link& device,
                                                          const std::string& folder = "/run/plumb");
[[nodiscard]] Result<void> join_device(netns::RouteSocket& node, const netns::Link& device, const std::string& user,
                                       const std::string& folder = "/run/plumb");
[[nodiscard]] Result<void> leave_device(netns::RouteSocket& node, const netns::Link& device, const std::string& user,
                                        const std::string& folder = "/run/plumb");

}  // namespace plumb
