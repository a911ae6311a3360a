#include "plugin/verb/observer.h"

#include <algorithm>
#include <thread>

#include "netns/link/link.h"
#include "netns/link/upper_link.h"
#include "netns/namespace/process.h"
#include "netns/socket/route_socket.h"
#include "plugin/engine/engine_time.h"
#include "plugin/node/boot.h"
#include "plugin/node/cgroup.h"
#include "plugin/node/names.h"
#include "plugin/node/node_scan.h"
#include "plugin/node/open_vswitch.h"
#include "plugin/node/process_stat.h"
#include "plugin/verb/engine_observer.h"
#include "plugin/verb/netns_reader.h"
#include "plugin/verb/started.h"
#include "plugin/verb/traces.h"
#include "specs/plan/namespace_owner.h"
#include "specs/plan/spec_hash.h"
#include "specs/service/link_value.h"
#include "specs/service/uplink.h"
#include "specs/status/status.h"

namespace plumb {

namespace {

// Which of the devices that the spec needs the kernel does not know: asked before anything is touched.
Result<void> ask_for_kinds(const Service& service, Observed& seen) {
  std::set<std::string> needed;
  for (const auto& ip : service.ips) {
    if (ip.disable) continue;
    if (const auto kind = kernel_kind(ip.mode); !kind.empty()) needed.emplace(kind);
    if (const auto vlan = vlan_device(ip); vlan && seen.node.link(vlan->name) == nullptr) needed.emplace("vlan");
  }
  if (needed.empty()) return {};
  const auto node = TRY(netns::Namespace::current());
  auto socket = TRY(netns::RouteSocket::open(node));
  for (const auto& kind : needed)
    if (const auto known = netns::knows_kind(socket, kind); known && !*known) seen.lacking_kinds.insert(kind);
  return {};
}

// An ipvlan of the service that is missing, or is to have another mode: one that is there says which mode all have.
bool lacks_ipvlan(const Service& service, const Observed& seen) {
  return std::any_of(service.ips.begin(), service.ips.end(), [&](const IpResource& ip) {
    if (!is_ipvlan(ip.mode)) return false;
    const auto* parent = seen.node.link(uplink(ip));
    const auto owner = seen.containers.find(ip.netns);
    if (parent == nullptr || owner == seen.containers.end() || !owner->second.netns) return true;
    const auto& links = owner->second.netns->links;
    return std::none_of(links.begin(), links.end(), [&](const ObservedLink& link) {
      return link.kind == "ipvlan" && link.parent == parent->index &&
             "ipvlan-" + link.ipvlan_mode == mode_name(ip.mode);
    });
  });
}

// The devices on which others have ipvlans: what is there, and what other started services are to have again. Only
// where a link may have to be made: all processes of the node are looked at.
void note_ipvlan_parents(const Service& service, Observation& out) {
  if (!lacks_ipvlan(service, out.seen)) return;
  const auto is_own = [&](const netns::NamespaceId& id) {
    return std::any_of(out.namespaces.begin(), out.namespaces.end(),
                       [&](const auto& one) { return one.second->id() == id; });
  };
  std::map<std::string, std::pair<IpMode, std::string>, std::less<>> others;
  for (const auto& name : started_services()) {
    const auto other = name == service.name ? std::nullopt : as_started(name);
    if (!other) continue;
    for (const auto& ip : other->service.ips)
      if (is_ipvlan(ip.mode) && ip.type == IpType::netns && !ip.disable)
        others.try_emplace(uplink(ip), ip.mode, "service " + name);
  }
  for (const auto& upper : uppers_elsewhere())
    if (const auto* parent = out.seen.node.link(upper.link.parent_index);
        parent != nullptr && upper.link.kind == "ipvlan" && !is_own(upper.ns))
      others.try_emplace(parent->name, mode_of("ipvlan-" + upper.link.ipvlan_mode), whose(upper));
  out.seen.ipvlan_parents = std::move(others);
}

// What was started counts until it is stopped: a name means what it meant then, whatever the DNS says by now.
void keep_names(const Service& service, Observed& seen) {
  const auto traces = read_traces(service.name);
  if (!traces) return;
  for (const auto& ip : service.ips) {
    auto then = traces->addresses_of(ip.id);
    std::vector<std::string> hosts;
    for (const auto& name : ip.names) {
      if (const auto* host = name.host()) hosts.push_back(*host);
      if (const auto* address = name.address()) std::erase(then, *address);
    }
    const auto were_there = [&](const std::vector<IpAddress>& some) {
      return !some.empty() && std::all_of(some.begin(), some.end(), [&](const IpAddress& a) {
        return std::find(then.begin(), then.end(), a) != then.end();
      });
    };
    for (const auto& host : hosts) {
      // Which of several names an address was of, only the answers of that time tell.
      const bool alone = hosts.size() == 1;
      const auto former = seen.former_names.find(host);
      const auto meant = alone ? then : former == seen.former_names.end() ? std::vector<IpAddress>{} : former->second;
      const auto now = seen.names.find(host);
      const bool answered = now != seen.names.end() && !now->second.empty();
      const bool same = answered && were_there(now->second) && (!alone || now->second.size() == then.size());
      if (same || !were_there(meant)) continue;
      if (answered) seen.new_names[host] = now->second;
      seen.names[host] = meant;
      seen.name_errors.erase(host);
    }
  }
}

Result<void> look_at_node(const Service& service, const NodeReader& read, Observed& seen) {
  // Routes of the node matter only where it has, or is to have, a way of its own to a service.
  const bool host_access =
      std::any_of(service.ips.begin(), service.ips.end(), [](const IpResource& ip) { return ip.host_access; });
  seen.node = TRY(read(host_access));
  for (const auto& ip : service.ips)
    if (const auto* device = seen.node.link(uplink(ip)); device != nullptr && device->vlan_users_error)
      return Err{*device->vlan_users_error};
  TRY(ask_for_kinds(service, seen));
  if (std::any_of(service.ips.begin(), service.ips.end(),
                  [](const IpResource& ip) { return ip.mode == IpMode::ovs && !ip.disable; }))
    seen.open_vswitch = observe_switch(service.name);
  return {};
}

// What needs the rest to be known.
void look_at_rest(const Service& service, Observation& out) {
  out.seen.unknown_here = !is_known_here(service.name);
  if (!out.seen.unknown_here) keep_names(service, out.seen);
  note_ipvlan_parents(service, out);
}

// A container that runs on as its start has recorded it. False: only the engine can say what is so. How one has ended,
// and what is on standby, no record says.
bool read_recorded(const Service& service, const ContainerResource& resource, const Traces& traces, Observation& out) {
  const auto traced = std::find_if(traces.containers.begin(), traces.containers.end(),
                                   [&](const TracedContainer& one) { return one.resource == resource.id; });
  if (traced == traces.containers.end() || resource.standby || !resource.detach) return false;
  ObservedContainer seen;
  seen.name = resource.name;
  seen.image = resource.image;
  seen.state = "running";
  seen.running = true;
  seen.pid = traced->pid;
  seen.service = service.name;
  seen.resource = resource.id;
  const auto process = netns::Process::open(traced->pid);
  if (!process) return false;
  if (traced->ns) {
    auto ns = netns::Namespace::of_process(traced->pid);
    if (!ns || ns->id() != traced->ns->id) return false;
    seen.netns = ObservedNetns{ns->id().dev, ns->id().ino, {}, {}, {}};
    if (owns_namespace(service, resource) || resource.existing) {
      auto inside = read_netns(*ns, Routes::yes);
      if (!inside) return false;
      seen.netns = *std::move(inside);
    }
    out.namespaces[resource.id] = std::make_shared<const netns::Namespace>(*std::move(ns));
  }
  // The numbers are those of that process as long as it has not ended. One that is paused runs, too.
  if (traced->cgroups.empty() || !still_runs(traced->pid, traced->start_ticks) || !process->alive()) return false;
  if (std::any_of(traced->cgroups.begin(), traced->cgroups.end(),
                  [](const std::string& path) { return is_frozen(path) != false; }))
    return false;
  out.seen.containers[resource.id] = std::move(seen);
  return true;
}

// What is recorded is of the engine on which it was started. One of its own is a part of it, and its process has to
// live.
bool is_on_its_engine(const Service& service, const ServiceEngine& engine) {
  const auto started = read_started(service.name);
  if (!started) return false;
  if (engine.is_private()) {
    const auto state = engine.state();
    return state && *state == EngineState::up;
  }
  const auto socket = engine.socket();
  return socket && *socket == started->engine;
}

std::optional<Observation> observe_recorded(const Service& service, const ServiceEngine& engine) {
  if (!needs_engine(service)) return std::nullopt;
  const auto traces = read_traces(service.name);
  const auto boot = boot_id();
  if (!traces || !boot || traces->boot != *boot || traces_unsettled(service.name)) return std::nullopt;
  if (!is_on_its_engine(service, engine)) return std::nullopt;
  Observation out;
  out.seen.engine.state = EngineState::unasked;
  out.seen.engine.is_private = engine.is_private();
  if (const auto socket = engine.socket()) out.seen.engine.socket = "unix://" + *socket;
  for (const auto& c : service.containers)
    if (!c.disable && !read_recorded(service, c, *traces, out)) return std::nullopt;
  Names names(service, false);
  if (!look_at_node(service, read_node, out.seen)) return std::nullopt;
  names.collect(out.seen);
  look_at_rest(service, out);
  return out;
}

}  // namespace

Result<ObservedNetns> read_node(bool all_routes) {
  return read_netns(TRY(netns::Namespace::current()), all_routes ? Routes::yes : Routes::for_host_links, VlanUse::yes);
}

Result<Observation> observe(const Service& service, ServiceEngine& engine, const std::stop_token& stop, bool starting,
                            const NodeReader& read) {
  Observation out;
  const bool asks = needs_engine(service);
  Names names(service, starting);
  // libcurl sets itself up, and the engine says who it is, while the kernel is asked.
  std::jthread meeting;
  if (asks) meeting = std::jthread([&] { out.seen.engine = engine.observe(stop); });
  TRY(look_at_node(service, read, out.seen));
  if (asks) {
    EngineTime::count([&] { meeting.join(); });
    if (out.seen.engine.state == EngineState::up) {
      // The wait for the engine's answers, all in parallel, counts as engine time of this thread.
      TRY(EngineTime::count([&] { return ask_engine(service, engine, stop, out); }));
    }
  }
  if (!names.collect(out.seen, stop)) return Err{ErrorKind::cancelled, "wait for names: interrupted"};
  look_at_rest(service, out);
  return out;
}

std::optional<Observation> observe_whole(const Service& service, const ServiceEngine& engine) {
  auto observation = observe_recorded(service, engine);
  if (observation && evaluate(service, observation->seen).state != Availability::up) return std::nullopt;
  return observation;
}

Result<Observation> glance(const Service& service, ServiceEngine& engine, const std::stop_token& stop, AskEngine ask) {
  if (ask == AskEngine::where_needed)
    if (auto whole = observe_whole(service, engine)) return *std::move(whole);
  return observe(service, engine, stop);
}

}  // namespace plumb
