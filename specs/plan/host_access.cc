#include "specs/plan/host_access.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "specs/plan/parent_link.h"
#include "specs/service/uplink.h"

namespace plumb {

std::string host_link_name(int parent_index) { return "plh" + std::to_string(parent_index); }

// The bits of 0x70 make it another one, 0x02 a locally administered one (IEEE 802).
Mac host_link_mac(const Mac& parent) {
  std::array<std::uint8_t, 6> bytes{};
  std::copy(parent.bytes().begin(), parent.bytes().end(), bytes.begin());
  bytes[0] = static_cast<std::uint8_t>(((bytes[0] | 0x02U) & 0xfeU) ^ 0x70U);
  return Mac::from_bytes(bytes).value();
}

bool is_host_link(const ObservedLink& link) {
  return (link.kind == "macvlan" || link.kind == "ipvlan") && link.name.starts_with("plh");
}

const ObservedLink* host_link(const Observed& seen, const IpResource& ip) {
  const auto* parent = seen.node.link(uplink(ip));
  const auto* link = parent == nullptr ? nullptr : seen.node.link(host_link_name(parent->index));
  return link != nullptr && is_host_link(*link) ? link : nullptr;
}

bool has_host_route(const ObservedNetns& node, const ObservedLink& link, const IpAddress& address) {
  return std::any_of(node.routes.begin(), node.routes.end(), [&](const ObservedRoute& r) {
    return r.link == link.index && r.destination && r.destination->prefix() == address.bits() &&
           r.destination->address() == address;
  });
}

bool wants_host_access(const IpResource& ip, const Observed& seen) {
  const IpMode mode = planned_mode(ip, seen);
  return ip.host_access && ip.type == IpType::netns && (mode == IpMode::macvlan || is_ipvlan(mode));
}

bool lacks_host_access(const IpResource& ip, const IpAddress& address, const Observed& seen) {
  if (!wants_host_access(ip, seen)) return false;
  const auto* way = host_link(seen, ip);
  return way == nullptr || !way->up || !has_host_route(seen.node, *way, address);
}

}  // namespace plumb
