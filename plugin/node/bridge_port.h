// A veth pair whose end on the node is a port of a bridge, the kernel's or Open vSwitch's.
//
// Threads: as the sockets. Privilege: CAP_NET_ADMIN in both namespaces.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "netns/link/veth.h"
#include "netns/namespace/namespace.h"
#include "netns/socket/route_socket.h"
#include "specs/service/service.h"
#include "specs/value/ip.h"
#include "specs/value/result.h"

namespace plumb {

// What the node's end is called, at most 15 bytes: after what is known when it is made, and is nobody else's.
//
// The link of a service is made in the container's namespace: "pl", the namespace's inode number, and the
// device's name there, as in "plf000012a.eth0"; of a name that is longer, four letters and digits that are made of it.
// Errors: spec (such a name is none).
[[nodiscard]] Result<IfName> service_port_name(const netns::Namespace& inside, std::string_view device);
// The link of an endpoint of the engine is made before anybody knows where it will live: "po" and enough of its id.
[[nodiscard]] std::string endpoint_port_name(std::string_view endpoint);

struct BridgePort {
  IfName name;                   // of the node's end: one of the above
  std::string alias;             // of the node's end: whose it is
  IpMode mode = IpMode::bridge;  // or ovs
  std::string bridge;            // the bridge's device, or the switch's name
  IfName inner;                  // the other end, in the target's namespace
  std::optional<Mac> mac;        // of the other end; default: random
  std::optional<unsigned> mtu;   // bytes, of both ends; default: the bridge's, where the node has it as a device
  bool up = true;                // the other end; the node's is always
};

// Makes the pair, one end in `target`'s namespace. In mode bridge the port forwards at once if both ends are up; in
// mode ovs it is on no bridge yet: add_switch_port() (open_vswitch.h) is next. Nothing is left on an error. Errors:
// not_found (no bridge), those of netns::create_veth().
[[nodiscard]] Result<netns::VethPair> make_bridge_port(netns::RouteSocket& node, netns::RouteSocket& target,
                                                       const BridgePort& port);

// Whether the bridge has ports with a carrier beside those named: somebody whom its other ports do not bring. False
// when there is no such device. Errors: the kernel's.
[[nodiscard]] Result<bool> has_other_ports(netns::RouteSocket& node, const std::string& bridge,
                                           const std::set<std::string>& named);

}  // namespace plumb
