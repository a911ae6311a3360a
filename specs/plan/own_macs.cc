#include "specs/plan/own_macs.h"

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
  if (ip.type == IpType::host) add_macs(seen.node, out);
  return out;
}

}  // namespace plumb
