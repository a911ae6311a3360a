// Membership of a solicited-node group through the IPv6 stack, for who listens with a packet socket.
//
// For this layer only. Threads: safe from any, in the network namespace of the device. Privilege: none.
#pragma once

#include "specs/value/ip.h"
#include "specs/value/unique_fd.h"

namespace plumb::netns {

// Joins the group of the address, so that a switch that snoops MLD lets through to us who asks for it (RFC 4862 section
// 5.4.2). It lasts as long as the descriptor. Only a help: where IPv6 is off on the device, the packet socket's own
// membership has to do, and nothing is returned.
[[nodiscard]] UniqueFd join_solicited_node(int ifindex, const IpAddress& address);

}  // namespace plumb::netns
