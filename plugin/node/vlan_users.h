// VlanUsers: who uses a VLAN device of plumb's, in a file of the run directory.
//
// The kernel's list of a device's further names is full with 496; a file has no such end. One further name of the
// device says which file is its own (specs/service/uplink.h): whoever removes the device takes that name along, and one
// that is made anew under the old name or index is not taken for it. A reboot takes both. Threads: the caller holds
// lock_node_links() where something is written; the file is whole for who reads it without. Privilege: access to the
// run directory; CAP_NET_ADMIN where the device gets its name.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "netns/link/link.h"
#include "netns/socket/route_socket.h"
#include "specs/value/result.h"

namespace plumb {

struct VlanUsers {
  int device = 0;           // the index that it had, in
  std::uint64_t inode = 0;  // this network namespace: who tidies up must not judge by the devices of another
  std::set<std::string> users = {};

  friend bool operator==(const VlanUsers&, const VlanUsers&) = default;
};

// Pure: the file's text, and back; what makes no sense in it is passed over. Errors: unsupported (of a later plumb).
[[nodiscard]] std::string encode_vlan_users(const VlanUsers& users);
[[nodiscard]] Result<VlanUsers> decode_vlan_users(std::string_view text);

// What the device's file has. nullopt: it has no mark, or the file is not there: nobody knows who its users are.
// Errors: unsupported (of a later plumb), with the file.
[[nodiscard]] Result<std::optional<VlanUsers>> read_vlan_users(const netns::Link& device, const std::string& folder);
// Whether it has a mark whose file is not here: it is in another run directory, as that of the driver as a managed
// plugin, was lost, or a run was killed before it was written.
[[nodiscard]] bool is_marked_elsewhere(const netns::Link& device, const std::string& folder);
// The device gets its mark, if it has none, and the file its users. Files of devices that are gone go. Errors: the
// kernel's.
[[nodiscard]] Result<void> write_vlan_users(netns::RouteSocket& node, const netns::Link& device,
                                            const std::set<std::string>& users, const std::string& folder);
// The device is gone. Errors: the kernel's.
[[nodiscard]] Result<void> forget_vlan_users(const netns::Link& device, const std::string& folder);

}  // namespace plumb
