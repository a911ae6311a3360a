#include "plugin/node/device.h"

namespace plumb {

Result<std::optional<netns::Link>> device_named(netns::RouteSocket& socket, const std::string& text) {
  const auto name = TRY(IfName::parse(text));
  return netns::find_link(socket, name);
}

Result<netns::Link> need_link(netns::RouteSocket& socket, const std::string& name) {
  const auto link = TRY(device_named(socket, name));
  if (!link) return Err{ErrorKind::not_found, "find device " + name + ": no such device"};
  return *link;
}

Result<netns::RouteSocket> open_node() {
  const auto own = TRY(netns::Namespace::current());
  return netns::RouteSocket::open(own);
}

netns::IpvlanMode kernel_mode(IpMode mode) {
  return mode == IpMode::ipvlan_l3    ? netns::IpvlanMode::l3
         : mode == IpMode::ipvlan_l3s ? netns::IpvlanMode::l3s
                                      : netns::IpvlanMode::l2;
}

}  // namespace plumb
