#include "plugin/node/dedicated_device.h"

#include <optional>

#include "netns/link/moved_link.h"

namespace plumb {

DedicatedMark mark_of(const std::string& name, const netns::Link& device) {
  return {name, device.mac, device.mtu, device.up};
}

Result<std::optional<netns::Link>> find_marked(netns::RouteSocket& socket, const DedicatedMark& was) {
  for (auto& link : TRY(netns::links(socket)))
    if (link.alias == was.to_string()) return std::optional(std::move(link));
  return std::optional<netns::Link>{};
}

Result<void> give_back(netns::RouteSocket& from, netns::RouteSocket& node, int index, const DedicatedMark& was) {
  const auto name = TRY(IfName::parse(was.device));
  const auto mtu = was.mtu == 0 ? std::nullopt : std::optional<unsigned>(was.mtu);
  TRY(netns::move_link(from, node, {index, name, {}, was.mac, mtu, was.up}));
  return {};
}

}  // namespace plumb
