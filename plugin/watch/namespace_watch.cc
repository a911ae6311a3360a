#include "plugin/watch/namespace_watch.h"

#include <algorithm>
#include <map>

#include "specs/plan/carrier.h"
#include "specs/plan/namespace_owner.h"
#include "specs/plan/own_macs.h"
#include "specs/plan/parent_link.h"
#include "specs/plan/plan_builder.h"
#include "specs/plan/planned_address.h"
#include "specs/service/uplink.h"

namespace plumb::watch {

namespace {

bool carrier_of(const Claim& claim, const Observed& seen) {
  const auto has = [&](const std::string& name) {
    const auto* link = seen.node.link(name);
    return link != nullptr && link->up && link->carrier;
  };
  if (claim.uplink.empty() || !claim.minds_carrier) return true;
  return has(claim.uplink) && (claim.ports.empty() || std::any_of(claim.ports.begin(), claim.ports.end(), has));
}

void add_claims(const Service& service, const IpResource& ip, const ObservedNetns& ns, const Observed& seen,
                const std::set<IpAddress>& withheld, std::vector<Claim>& out) {
  if (ip.disable || (ip.type == IpType::netns && is_routed(ip.mode))) return;
  const auto planned = planned_addresses(ip, seen);
  if (!planned) return;
  for (const auto& one : *planned) {
    const auto* have = ns.address(one.cidr.address());
    const bool off = have == nullptr && withheld.contains(one.cidr.address());
    const auto* link = have != nullptr ? ns.link(have->link) : off ? ns.link(place_of(service, ip).device) : nullptr;
    if (link == nullptr || !link->mac) continue;
    const IpMode mode = planned_mode(ip, seen);
    const bool inside = ip.type == IpType::encap || (ip.type == IpType::netns && probed_from_link(mode));
    Claim claim{.service = service.name,
                .node = service.node,
                .resource = ip.id,
                .container = ip.type == IpType::host ? std::string() : ip.netns,
                .device = link->name,
                .ifindex = link->index,
                .mac = *link->mac,
                .cidr = one.cidr,
                .gateway = one.gateway,
                .mode = mode,
                .own_device = ip.type != IpType::netns,
                .extra_route = ip.del_net_route,
                .no_source = ip.type == IpType::host && !ip.source,
                .probe = ip.probe,
                .hello = ip.hello,
                .conflict = ip.conflict,
                .announce = ip.announce,
                .uplink = inside ? std::string() : uplink(ip),
                .ports = inside ? std::set<std::string>() : ports_of(uplink(ip), seen),
                .own = own_macs(ip, seen),
                .carriers = carriers_of(ip, seen),
                .minds_carrier = ip.check_carrier,
                .on_link = !off};
    claim.carrier = carrier_of(claim, seen);
    out.push_back(std::move(claim));
  }
}

// Not of what a claim makes of its address: whether it is on the link, and whether the carrier is there.
std::string key_of(const NamespaceWatchPlan& plan, const ObservedNetns& ns) {
  std::string out = plan.owner + " " + std::to_string(plan.pid) + " " + std::to_string(ns.inode);
  for (const auto& claim : plan.claims) {
    out += " " + claim.cidr.to_string() + "%" + std::to_string(claim.ifindex) + "=" + claim.mac.to_string();
    out += "," + std::to_string(static_cast<int>(claim.conflict)) + "," + std::to_string(claim.announce.count) + "," +
           std::to_string(claim.announce.interval.count()) + "," + std::to_string(claim.announce.period.count()) + "," +
           std::to_string(claim.hello.count()) + (claim.minds_carrier ? "," : "!,") + claim.uplink;
    if (claim.gateway) out += "," + claim.gateway->to_string();
    for (const auto& port : claim.ports) out += "," + port;
  }
  return out;
}

}  // namespace

std::vector<NamespaceWatchPlan> namespace_watches_for(const Service& service, const Observation& observation,
                                                      const std::set<IpAddress>& withheld) {
  const auto& seen = observation.seen;
  std::vector<NamespaceWatchPlan> out;
  for (const auto& c : service.containers) {
    const auto have = seen.containers.find(c.id);
    if (c.disable || !owns_namespace(service, c) || have == seen.containers.end() || !have->second.running ||
        !have->second.netns || !observation.namespaces.contains(c.id))
      continue;
    NamespaceWatchPlan plan{{}, c.id, have->second.pid, {}};
    for (const auto& ip : service.ips)
      if (ip.netns == c.id) add_claims(service, ip, *have->second.netns, seen, withheld, plan.claims);
    plan.key = key_of(plan, *have->second.netns);
    out.push_back(std::move(plan));
  }
  NamespaceWatchPlan node{{}, {}, 0, {}};
  for (const auto& ip : service.ips)
    if (ip.type == IpType::host) add_claims(service, ip, seen.node, seen, withheld, node.claims);
  node.key = key_of(node, seen.node);
  if (!node.claims.empty()) out.push_back(std::move(node));
  return out;
}

Result<NamespaceWatch> open_namespace_watch(const NamespaceWatchPlan& plan, const Observation& observation,
                                            const ClaimContext& context) {
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
    if (auto held = HeldClaim::open(context, out.ns, claim)) out.claims.push_back({claim, std::move(*held), {}});
  return out;
}

void end_namespace_watch(NamespaceWatch watch, bool stopped) {
  for (const auto& guarded : watch.claims) stopped ? guarded.held->withdraw() : guarded.held->end();
  close_later(std::move(watch));
}

}  // namespace plumb::watch
