#include "specs/plan/carrier.h"

#include <algorithm>

#include "specs/plan/parent_link.h"
#include "specs/service/uplink.h"

namespace plumb {

std::set<std::string> ports_of(const std::string& device, const Observed& seen) {
  std::set<std::string> out;
  const auto* bridge = seen.node.link(device);
  if (bridge == nullptr) return out;
  for (const auto& link : seen.node.links)
    if (link.master == bridge->index && !link.alias.starts_with("plumb ")) out.insert(link.name);
  return out;
}

std::vector<CarrierSeen> carriers_of(const IpResource& ip, const Observed& seen) {
  const bool inside =
      ip.type == IpType::encap || (ip.type == IpType::netns && probed_from_link(planned_mode(ip, seen)));
  if (inside || !ip.check_carrier) return {};
  auto devices = ports_of(uplink(ip), seen);
  devices.insert(uplink(ip));
  std::vector<CarrierSeen> out;
  for (const auto& device : devices)
    if (const auto* link = seen.node.link(device)) out.push_back({device, link->index, link->carrier_downs});
  return out;
}

bool has_flapped(const std::vector<CarrierSeen>& before, const std::vector<CarrierSeen>& now) {
  return std::any_of(before.begin(), before.end(), [&](const CarrierSeen& was) {
    return std::any_of(now.begin(), now.end(), [&](const CarrierSeen& is) {
      return is.device == was.device && is.index == was.index && is.downs > was.downs;
    });
  });
}

}  // namespace plumb
