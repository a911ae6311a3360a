#include "specs/plan/own_macs.h"

#include "specs/plan/host_access.h"

namespace plumb {

namespace {

void add_macs(const ObservedNetns& ns, std::set<Mac>& out) {
  for (const auto& link : ns.links)
    if (link.mac && link.name != "lo") out.insert(*link.mac);
}

}  // namespace

std::set<Mac> own_macs(const IpResource& ip, const Observed& seen) {
  std::set<Mac> out;
  for (const auto& [id, container] : seen.containers)
    if (container.netns && !container.netns->same_as(seen.node)) add_macs(*container.netns, out);
  if (ip.type != IpType::host) return out;
  add_macs(seen.node, out);
  // Its links to services answer, too, on a macvlan beside them. One may be made at any time, for another service.
  for (const auto& link : seen.node.links)
    if (link.mac && !is_host_link(link)) out.insert(host_link_mac(*link.mac));
  return out;
}

}  // namespace plumb
