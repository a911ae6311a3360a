// The way out of an endpoint: gateways and routes, as they follow from the records of it and of its network.
//
// Threads: pure functions. Privilege: none.
#pragma once

#include <optional>
#include <vector>

#include "plugin/driver/record/record.h"
#include "specs/value/ip.h"

namespace plumb::driver {

// The machine of the LAN by which that address leaves its subnet: the one that the option names for its family, else
// that of the subnet which the address is in.
[[nodiscard]] std::optional<IpAddress> gateway_of(const NetworkRecord& network, const IpAddress& address);

// A default route that the driver makes itself.
struct OwnRoute {
  Cidr destination;                  // 0.0.0.0/0 or ::/0
  std::optional<IpAddress> gateway;  // none: whatever it leads to is on the link
  bool onlink = false;               // the gateway is on the link, though in no subnet of it
};

struct WayOut {
  std::optional<IpAddress> gateway_v4;  // of the default route, which the engine makes of it
  std::optional<IpAddress> gateway_v6;
  std::vector<OwnRoute> own;  // when the link is in the container
};

// Nothing of an internal network.
//
// Where there is no gateway of IPv4, engines do not agree on which answer to Join gives a default route of IPv6: 20.10
// and 26 take a gateway of IPv6 for none then, and 28 refuses the start for a route to ::/0. Any of them does so for a
// default route that another network of the container has already, for two halves of one, which conflict with the
// addresses of other networks, and for a gateway that it finds no way to yet. So such a route is the driver's own, with
// a metric that no other has.
[[nodiscard]] WayOut way_out(const NetworkRecord& network, const EndpointRecord& endpoint);

}  // namespace plumb::driver
