#include "plugin/cluster/remains.h"

#include <algorithm>

#include "plugin/node/boot.h"
#include "plugin/node/cgroup.h"
#include "plugin/node/process_stat.h"

namespace plumb {

namespace {

std::string process(pid_t pid) { return "process " + std::to_string(pid); }

bool is_same(const TracedNamespace& traced, netns::NamespaceId id, std::optional<std::uint64_t> cookie) {
  return traced.id == id && !(cookie && traced.cookie && *cookie != *traced.cookie);
}

std::string in_namespace(const TracedContainer& container, const NodeScan& scan) {
  if (!container.ns) return {};
  const auto found = scan.inhabited.find(container.ns->id);
  if (found == scan.inhabited.end() || !is_same(*container.ns, found->first, found->second.cookie)) return {};
  return process(found->second.pid) + " is in the network namespace of " + container.resource;
}

std::string in_cgroup(const TracedContainer& container, const NodeScan& scan) {
  for (const auto& path : container.cgroups) {
    const auto found = std::find_if(scan.cgroups.begin(), scan.cgroups.end(), [&](const auto& entry) {
      return entry.first == path || entry.first.starts_with(path + "/");
    });
    if (found != scan.cgroups.end())
      return process(found->second) + " is in the control group of " + container.resource;
    // Who forks during the look at the processes may be missed by it.
    if (is_populated(path)) return "the control group of " + container.resource + " has processes";
  }
  return {};
}

// Its own processes first: these say most.
std::string of_containers(const std::vector<TracedContainer>& containers, const NodeScan& scan) {
  for (const auto& c : containers)
    if (still_runs(c.pid, c.start_ticks)) return c.resource + " runs as " + process(c.pid);
  for (const auto& c : containers) {
    if (auto found = in_namespace(c, scan); !found.empty()) return found;
    if (auto found = in_cgroup(c, scan); !found.empty()) return found;
  }
  return {};
}

std::string of_address(const IpAddress& address, const Traces& traces, const NodeScan& scan, const std::string& boot) {
  if (scan.own.contains(address)) return address.to_string() + " is on a device of this node";
  if (scan.elsewhere.contains(address)) return address.to_string() + " is where a process of this node is";
  const bool answers = std::any_of(scan.abandoned.begin(), scan.abandoned.end(), [&](const auto& place) {
    return place.addresses.contains(address) && is_of(traces, place, boot);
  });
  return answers ? "the kernel still answers for " + address.to_string() : std::string();
}

}  // namespace

bool is_of(const Traces& traces, const NodeScan::Abandoned& place, const std::string& boot) {
  return traces.boot == boot && std::any_of(traces.containers.begin(), traces.containers.end(), [&](const auto& c) {
           return c.ns && is_same(*c.ns, place.ns.id(), place.cookie);
         });
}

std::string find_remains(const Traces& traces, const NodeScan& scan, const std::string& boot) {
  if (!scan.complete) return "not all of this node's processes and namespaces could be looked at";
  if (traces.boot == boot)
    if (auto found = of_containers(traces.containers, scan); !found.empty()) return found;
  for (const auto& one : traces.addresses)
    if (auto found = of_address(one.address, traces, scan, boot); !found.empty()) return found;
  return {};
}

std::string find_remains(const Traces& traces) {
  const auto boot = boot_id();
  return boot ? find_remains(traces, scan_node(), *boot) : boot.error().what;
}

}  // namespace plumb
