#include "plugin/cluster/kernel_view.h"

#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <set>
#include <vector>

#include "netns/address/address.h"
#include "netns/link/link.h"
#include "netns/namespace/namespace.h"
#include "netns/socket/route_socket.h"
#include "plugin/node/names.h"
#include "specs/plan/planned_address.h"

namespace plumb {

namespace {

using Addresses = std::set<IpAddress>;

bool counts(const Resource& resource) { return !resource.disable && !resource.optional && !resource.standby; }

Result<Addresses> addresses_in(const netns::Namespace& ns) {
  Addresses out;
  auto socket = TRY(netns::RouteSocket::open(ns));
  for (const auto& address : TRY(netns::addresses(socket, 0))) out.insert(address.cidr.address());
  return out;
}

// What the other namespaces of the node have.
struct OtherNamespaces {
  struct Place {
    netns::Namespace ns;
    Addresses addresses;
  };
  Addresses inhabited;           // where a process is
  std::vector<Place> abandoned;  // bound to a file, without a process; only when `complete`
  bool complete = true;          // false: one could not be looked at
};

using Seen = std::set<netns::NamespaceId>;

void look_at_processes(Seen& seen, OtherNamespaces& out) {
  std::error_code ec;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", ec)) {
    const std::string name = entry.path().filename();
    pid_t pid = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (error != std::errc{} || end != name.data() + name.size()) continue;
    struct stat info {};
    if (::stat((entry.path() / "ns/net").c_str(), &info) != 0) {
      out.complete = out.complete && (errno == ENOENT || errno == ESRCH);  // it ended, or is a zombie
      continue;
    }
    if (seen.contains({info.st_dev, info.st_ino})) continue;
    const auto ns = netns::Namespace::of_process(pid);
    if (!ns) {
      out.complete = out.complete && ns.error().kind == ErrorKind::not_found;
      continue;
    }
    if (!seen.insert(ns->id()).second) continue;
    const auto found = addresses_in(*ns);
    out.complete = out.complete && found;
    if (found) out.inhabited.insert(found->begin(), found->end());
  }
  out.complete = out.complete && !ec;
}

OtherNamespaces look_elsewhere(const netns::Namespace& own) {
  OtherNamespaces out;
  // Those that are bound first: who moves into one meanwhile is found by the look at the processes.
  auto bound = netns::Namespace::bound();
  Seen seen{own.id()};
  look_at_processes(seen, out);
  out.complete = out.complete && bound;
  if (!out.complete) return out;
  for (auto& ns : *bound) {
    if (!seen.insert(ns.id()).second) continue;
    auto found = addresses_in(ns);
    out.complete = out.complete && found;
    if (found) out.abandoned.push_back({std::move(ns), *std::move(found)});
  }
  return out;
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

KernelView look_without_engine(const Service& service) {
  KernelView out;
  Observed names;
  Names(service, false).collect(names);
  const auto own = netns::Namespace::current();
  if (!own) return {0, 0, false, false};
  const auto elsewhere = look_elsewhere(*own);
  out.complete = elsewhere.complete;
  const auto node = addresses_in(*own);
  for (const auto& ip : service.ips) {
    if (!counts(ip)) continue;
    const auto wanted = resolved_addresses(ip, names);
    if (!wanted || (ip.type == IpType::host && !node)) {
      out.complete = false;
      continue;
    }
    const auto& place = ip.type == IpType::host ? *node : elsewhere.inhabited;
    for (const auto& address : *wanted) {
      ++out.wanted;
      if (place.contains(address))
        ++out.present;
      else if (ip.type == IpType::netns && std::any_of(elsewhere.abandoned.begin(), elsewhere.abandoned.end(),
                                                       [&](const auto& p) { return p.addresses.contains(address); }))
        ++out.abandoned;
    }
  }
  out.covers_all = covers_all(service);
  return out;
}

void withdraw_abandoned(const Service& service) {
  Observed names;
  Names(service, false).collect(names);
  const auto own = netns::Namespace::current();
  if (!own) return;
  Addresses ours;
  for (const auto& ip : service.ips)
    if (const auto wanted = resolved_addresses(ip, names); wanted && counts(ip) && ip.type == IpType::netns)
      ours.insert(wanted->begin(), wanted->end());
  for (const auto& place : look_elsewhere(*own).abandoned) {
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
