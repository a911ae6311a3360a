#include "plugin/cluster/unseen.h"

#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <set>

#include "netns/address.h"
#include "netns/namespace.h"
#include "netns/route_socket.h"
#include "plugin/names.h"
#include "specs/planner.h"

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

// What all the other namespaces have that a process of this node is in. False: one could not be looked at.
bool addresses_elsewhere(const netns::Namespace& own, Addresses& out) {
  std::set<netns::NamespaceId> seen{own.id()};
  bool complete = true;
  std::error_code ec;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", ec)) {
    const std::string name = entry.path().filename();
    pid_t pid = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (error != std::errc{} || end != name.data() + name.size()) continue;
    struct stat info {};
    if (::stat((entry.path() / "ns/net").c_str(), &info) != 0) {
      complete = complete && (errno == ENOENT || errno == ESRCH);  // it ended, or is a zombie
      continue;
    }
    if (seen.contains({info.st_dev, info.st_ino})) continue;
    const auto ns = netns::Namespace::of_process(pid);
    if (!ns) {
      complete = complete && ns.error().kind == ErrorKind::not_found;
      continue;
    }
    if (!seen.insert(ns->id()).second) continue;
    const auto found = addresses_in(*ns);
    complete = complete && found;
    if (found) out.insert(found->begin(), found->end());
  }
  return complete && !ec;
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

Unseen look_without_engine(const Service& service) {
  Unseen out;
  Observed names;
  Names(service, false).collect(names);
  const auto own = netns::Namespace::current();
  if (!own) return {0, 0, false, false};
  Addresses elsewhere;
  out.complete = addresses_elsewhere(*own, elsewhere);
  const auto node = addresses_in(*own);
  for (const auto& ip : service.ips) {
    if (!counts(ip)) continue;
    const auto wanted = resolved_addresses(ip, names);
    if (!wanted || (ip.type == IpType::host && !node)) {
      out.complete = false;
      continue;
    }
    const auto& place = ip.type == IpType::host ? *node : elsewhere;
    for (const auto& address : *wanted) {
      ++out.wanted;
      if (place.contains(address)) ++out.present;
    }
  }
  out.covers_all = covers_all(service);
  return out;
}

}  // namespace plumb
