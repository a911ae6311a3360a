#include "specs/plan/parent_link.h"

#include "specs/service/uplink.h"
#include "specs/value/dedicated_mark.h"

namespace plumb {

IpMode planned_mode(const IpResource& ip, const Observed& seen) {
  if (ip.mode != IpMode::automatic) return ip.mode;
  const auto* parent = seen.node.link(uplink(ip));
  return parent != nullptr && parent->kind == "bridge" ? IpMode::bridge : IpMode::macvlan;
}

const ObservedLink* dedicated_on_node(const IpResource& ip, const Observed& seen) {
  if (const auto* link = seen.node.link(ip.ipdev)) return link;
  for (const auto& link : seen.node.links)
    if (const auto mark = DedicatedMark::parse(link.alias); mark && mark->device == ip.ipdev) return &link;
  return nullptr;
}

}  // namespace plumb
