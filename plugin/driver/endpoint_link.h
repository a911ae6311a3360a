// The link of an endpoint: made in the node's namespace, from where the engine moves it into the container and back.
//
// The engine allows a remote driver no other place (SetCreatedInContainer is for its own drivers). The link is left
// down until it is there, or has no address and answers for none, so it answers nobody here. It is named after its
// endpoint and says so in its alias, so that it is found again, wherever it is, whatever has been lost. Threads: safe
// from any; one at a time for one endpoint. Privilege: CAP_NET_ADMIN, CAP_NET_RAW, CAP_SYS_ADMIN.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "netns/address/route.h"
#include "netns/link/link.h"
#include "netns/namespace/namespace.h"
#include "netns/socket/route_socket.h"
#include "plugin/driver/record/record.h"
#include "plugin/driver/record/way_out.h"
#include "plugin/node/host_link.h"
#include "specs/value/result.h"

namespace plumb::driver {

// "pe" and what is enough of the endpoint's id; the node's other end of a pair is endpoint_port_name()
// (plugin/node/bridge_port.h). At most 15 bytes.
[[nodiscard]] std::string link_name(std::string_view endpoint);
// By which the network says that it uses a VLAN device (specs/service/uplink.h).
[[nodiscard]] std::string network_vlan_user(const std::string& network);
// "plumb endpoint ID": the alias of an endpoint's link.
[[nodiscard]] std::string link_alias(std::string_view endpoint);

// Makes the VLAN device that the network's links are on, if it is on one and there is none; it goes with the network.
[[nodiscard]] Result<void> ready_uplink(const NetworkRecord& network);

// Makes the link of the record, down. A link of the same endpoint that is there already, of a driver that was killed,
// is taken as it is. A device that is given away is marked. Errors: the kernel's, and Open vSwitch's; nothing is left
// then.
[[nodiscard]] Result<void> make_endpoint_link(const NetworkRecord& network, const EndpointRecord& endpoint);

// A device that is only there, or a port that only exists, once the link is made: brings it up, so that the LAN is
// heard by it until the engine takes it. It has no address, and answers for none of the node's. Errors: timeout (no
// carrier), the kernel's.
[[nodiscard]] Result<void> make_audible(const EndpointRecord& endpoint);

// Takes the link from where the engine looks for it: it ends the start then. Nothing to do where it is not on the node.
// A device that is given away stays the endpoint's, until remove_endpoint_link().
[[nodiscard]] Result<void> withhold_endpoint_link(const EndpointRecord& endpoint);

// The ways of the node itself to the endpoint's addresses; given and taken.
[[nodiscard]] Result<std::vector<HostSide>> grant_endpoint_access(const EndpointRecord& endpoint);
[[nodiscard]] Result<void> take_endpoint_access(const EndpointRecord& endpoint);

// Removes the link, in the node's namespace or in the sandbox, or gives the device back as it was. What is not there is
// a success; so is a sandbox that cannot be looked into, but for a device that has to be given back.
[[nodiscard]] Result<void> remove_endpoint_link(const EndpointRecord& endpoint);
// The same for one that nothing is known of but its id.
[[nodiscard]] Result<void> remove_unknown_link(std::string_view endpoint);

enum class Whereabouts {
  node,     // where it was made
  sandbox,  // where the engine has moved it
  nowhere,
  unknown,  // its sandbox cannot be looked into
};
[[nodiscard]] Result<Whereabouts> find_endpoint_link(const EndpointRecord& endpoint);

// An endpoint as one visit to where its link is has found it.
struct EndpointSight {
  Whereabouts where = Whereabouts::nowhere;
  std::optional<netns::Link> link = {};  // on the node, and in the sandbox
};
// The same, and `inside` is called while the visit lasts where the link is in its sandbox: by a thread that is there,
// so that what it does there costs no thread more.
[[nodiscard]] Result<EndpointSight> visit_endpoint_link(
    const EndpointRecord& endpoint, const std::function<void(netns::RouteSocket&, const netns::Link&)>& inside);

// The link in the namespace that says it is the endpoint's.
[[nodiscard]] Result<std::optional<netns::Link>> link_of(netns::RouteSocket& socket, const EndpointRecord& endpoint);

// A default route of the driver's own on that link. Its metric is behind the engine's own and is that of no other link:
// the engine's gateway is the way out where there is one, else the first network's.
[[nodiscard]] netns::Route own_route(const OwnRoute& route, int ifindex);

// The ids of endpoints whose links are in the node's namespace.
[[nodiscard]] Result<std::vector<std::string>> endpoints_on_node();

}  // namespace plumb::driver
