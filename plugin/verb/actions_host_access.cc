// The node's own way to a service's addresses on macvlans and ipvlans.
#include "plugin/node/device.h"
#include "plugin/node/host_link.h"
#include "plugin/node/service_lock.h"
#include "plugin/verb/actions.h"

namespace plumb {

Result<void> Actions::grant_host_access(const Step& step, const HostAccessGrant& grant, const std::stop_token& stop) {
  const auto inside = TRY(conversation(grant.place.container));
  std::optional<netns::Link> device;
  {
    const std::lock_guard lock(inside->mutex);
    device = TRY(need_link(*inside->socket, grant.place.device));
  }
  const auto node = TRY(conversation({}));
  const auto shared = TRY(lock_node_links(stop));
  const std::lock_guard lock(node->mutex);
  const auto parent = TRY(need_link(*node->socket, grant.parent));
  const IpAddress address = grant.address;
  book(step, [node, index = parent.index, address]() -> Result<void> {
    const auto mine = TRY(lock_node_links());
    const std::lock_guard again(node->mutex);
    return take_host_route(*node->socket, index, address);
  });
  const auto host = TRY(grant_host_route(*node->socket, parent, grant.mode, address, device->mac));
  if (!address.is_v6()) return {};
  const std::lock_guard inside_lock(inside->mutex);
  return tell_neighbours(*inside->socket, device->index, host);
}

Result<void> Actions::revoke_host_access(const HostAccessRevoke& revoke) {
  const auto node = TRY(conversation({}));
  const auto shared = TRY(lock_node_links());
  const std::lock_guard lock(node->mutex);
  const auto parent = TRY(device_named(*node->socket, revoke.parent));
  if (!parent) return {};
  return take_host_route(*node->socket, parent->index, revoke.address);
}

}  // namespace plumb
