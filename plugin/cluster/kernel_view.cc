#include "plugin/cluster/kernel_view.h"

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "netns/address/address.h"
#include "netns/link/link.h"
#include "netns/socket/route_socket.h"
#include "plugin/cluster/remains.h"
#include "plugin/node/boot.h"
#include "plugin/node/names.h"
#include "plugin/node/node_scan.h"
#include "specs/plan/planned_address.h"

namespace plumb {

namespace {

bool counts(const Resource& resource) { return !resource.disable && !resource.optional && !resource.standby; }

// The addresses of a service as its start has recorded them, or else as they are resolved now.
class Addresses {
 public:
  Addresses(const Service& service, const std::optional<Traces>& traces) {
    for (const auto& ip : service.ips) {
      if (!counts(ip)) continue;
      if (traces) recorded_[ip.id] = traces->addresses_of(ip.id);
      if (recorded_[ip.id].empty()) recorded_.erase(ip.id);
    }
    const bool all = std::all_of(service.ips.begin(), service.ips.end(),
                                 [&](const IpResource& ip) { return !counts(ip) || recorded_.contains(ip.id); });
    if (!all) Names(service, false).collect(names_);
  }

  [[nodiscard]] Result<std::vector<IpAddress>> of(const IpResource& ip) const {
    const auto found = recorded_.find(ip.id);
    return found != recorded_.end() ? found->second : resolved_addresses(ip, names_);
  }

 private:
  std::map<std::string, std::vector<IpAddress>> recorded_;  // by resource id
  Observed names_;
};

// The namespaces without processes that count. Without a record of the start nothing says which of them are the
// service's: what has its address there is no proof that it is down, and is not touched.
bool counts(const NodeScan::Abandoned& place, const std::optional<Traces>& traces) {
  if (!traces) return true;
  const auto boot = boot_id();
  return !boot || is_of(*traces, place, *boot);
}

// Whether a container can run only where one of the addresses is.
bool covers_all(const Service& service) {
  return std::all_of(service.containers.begin(), service.containers.end(), [&](const ContainerResource& c) {
    if (c.disable || c.standby) return true;  // an optional one is stopped like any other
    const std::string& home = service.container(c.netns) != nullptr ? c.netns : c.id;
    return std::any_of(service.ips.begin(), service.ips.end(), [&](const IpResource& ip) {
      return counts(ip) && ip.type == IpType::netns && ip.netns == home;
    });
  });
}

}  // namespace

KernelView look_without_engine(const Service& service, const std::optional<Traces>& traces) {
  KernelView out;
  const Addresses addresses(service, traces);
  const auto scan = scan_node();
  out.complete = scan.complete;
  for (const auto& ip : service.ips) {
    if (!counts(ip)) continue;
    const auto wanted = addresses.of(ip);
    if (!wanted) {
      out.complete = false;
      continue;
    }
    const auto& place = ip.type == IpType::host ? scan.own : scan.elsewhere;
    for (const auto& address : *wanted) {
      ++out.wanted;
      if (place.contains(address))
        ++out.present;
      else if (ip.type == IpType::netns &&
               std::any_of(scan.abandoned.begin(), scan.abandoned.end(),
                           [&](const auto& p) { return p.addresses.contains(address) && counts(p, traces); }))
        ++out.abandoned;
    }
  }
  out.covers_all = covers_all(service);
  out.containers = std::any_of(scan.cgroups.begin(), scan.cgroups.end(),
                               [](const auto& entry) { return is_container_cgroup(entry.first); });
  return out;
}

void withdraw_abandoned(const Service& service, const std::optional<Traces>& traces) {
  if (!traces) return;
  const Addresses addresses(service, traces);
  std::set<IpAddress> ours;
  for (const auto& ip : service.ips) {
    if (!counts(ip) || ip.type != IpType::netns) continue;
    if (const auto wanted = addresses.of(ip)) ours.insert(wanted->begin(), wanted->end());
  }
  for (const auto& place : scan_node().abandoned) {
    if (!counts(place, traces)) continue;
    auto socket = netns::RouteSocket::open(place.ns);
    if (!socket) continue;
    const auto all = netns::addresses(*socket, 0);
    if (!all) continue;
    for (const auto& address : *all) {
      if (!ours.contains(address.cidr.address())) continue;
      if (!netns::remove_link(*socket, address.ifindex)) [[maybe_unused]]
        const auto removed = netns::remove_address(*socket, address.ifindex, address.cidr);
    }
  }
}

}  // namespace plumb
