#include "plugin/watch/namespace_watch.h"

#include <algorithm>
#include <map>

#include "specs/plan/namespace_owner.h"
#include "specs/plan/planned_address.h"
#include "specs/service/uplink.h"

namespace plumb::watch {

namespace {

// The device, and where it is a bridge, its ports but those that plumb has made.
std::set<std::string> uplinks_of(const IpResource& ip, const Observed& seen) {
  std::set<std::string> out{uplink(ip)};
  const auto* device = seen.node.link(uplink(ip));
  if (device == nullptr) return out;
  for (const auto& link : seen.node.links)
    if (link.master == device->index && !link.alias.starts_with("plumb ")) out.insert(link.name);
  return out;
}

void add_claims(const IpResource& ip, const ObservedNetns& ns, const Observed& seen, std::vector<Claim>& out) {
  if (ip.disable || (ip.type == IpType::netns && is_routed(ip.mode))) return;
  const auto planned = planned_addresses(ip, seen);
  if (!planned) return;
  for (const auto& one : *planned) {
    const auto* have = ns.address(one.cidr.address());
    const auto* link = have == nullptr ? nullptr : ns.link(have->link);
    if (link == nullptr || !link->mac) continue;
    out.push_back({ip.id, one.cidr.address(), link->index, *link->mac, one.gateway, ip.conflict, ip.announce,
                   ip.type == IpType::encap ? std::set<std::string>{} : uplinks_of(ip, seen)});
  }
}

std::string key_of(const NamespaceWatchPlan& plan, const ObservedNetns& ns) {
  std::string out = plan.owner + " " + std::to_string(plan.pid) + " " + std::to_string(ns.inode);
  for (const auto& claim : plan.claims) {
    out += " " + claim.address.to_string() + "%" + std::to_string(claim.ifindex) + "=" + claim.mac.to_string();
    out += "," + std::to_string(static_cast<int>(claim.conflict)) + "," + std::to_string(claim.announce.count) + "," +
           std::to_string(claim.announce.interval.count());
    if (claim.gateway) out += "," + claim.gateway->to_string();
    for (const auto& uplink : claim.uplinks) out += "," + uplink;
  }
  return out;
}

}  // namespace

std::vector<NamespaceWatchPlan> namespace_watches_for(const Service& service, const Observation& observation) {
  const auto& seen = observation.seen;
  std::vector<NamespaceWatchPlan> out;
  for (const auto& c : service.containers) {
    const auto have = seen.containers.find(c.id);
    if (c.disable || !owns_namespace(service, c) || have == seen.containers.end() || !have->second.running ||
        !have->second.netns || !observation.namespaces.contains(c.id))
      continue;
    NamespaceWatchPlan plan{{}, c.id, have->second.pid, {}};
    for (const auto& ip : service.ips)
      if (ip.netns == c.id) add_claims(ip, *have->second.netns, seen, plan.claims);
    plan.key = key_of(plan, *have->second.netns);
    out.push_back(std::move(plan));
  }
  NamespaceWatchPlan node{{}, {}, 0, {}};
  for (const auto& ip : service.ips)
    if (ip.type == IpType::host) add_claims(ip, seen.node, seen, node.claims);
  node.key = key_of(node, seen.node);
  if (!node.claims.empty()) out.push_back(std::move(node));
  return out;
}

Result<NamespaceWatch> open_namespace_watch(const NamespaceWatchPlan& plan, const Observation& observation) {
  NamespaceWatch out{plan.key, plan.owner, {}, {}, {}, {}};
  if (plan.pid == 0) {
    out.ns = std::make_shared<const netns::Namespace>(TRY(netns::Namespace::current()));
  } else {
    out.process = TRY(netns::Process::open(plan.pid));
    out.ns = observation.namespaces.at(plan.owner);
    out.changes = TRY(netns::LinkWatch::open(*out.ns, true, true));
    // The process that has the number now is the one that has the namespace.
    const auto its = TRY(netns::Namespace::of_process(plan.pid));
    if (!netns::same(its, *out.ns) || !out.process->alive())
      return Err{ErrorKind::not_found, plan.owner + " ended meanwhile"};
  }
  for (const auto& claim : plan.claims)
    if (auto watch = netns::RivalWatch::open(*out.ns, claim.ifindex, claim.address))
      out.claims.push_back({claim, std::move(*watch), {}});
  return out;
}

}  // namespace plumb::watch
