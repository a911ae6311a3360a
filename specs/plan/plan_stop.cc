#include "specs/plan/plan_stop.h"

#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include "specs/plan/host_access.h"
#include "specs/plan/leftover.h"
#include "specs/plan/parent_link.h"
#include "specs/plan/plan_builder.h"
#include "specs/plan/planned_address.h"
#include "specs/plan/stranded_link.h"
#include "specs/service/uplink.h"
#include "specs/value/dedicated_mark.h"

namespace plumb {

namespace {

// A resource of the service needs the engine.
bool needs_engine(const Service& service) {
  return std::any_of(service.containers.begin(), service.containers.end(), [](const auto& c) { return !c.disable; });
}

// A stop is not over when one address is: no step of it is optional, whatever the resource is.
class StopPlanner {
 public:
  StopPlanner(const Service& service, const Observed& seen, Verb verb)
      : service_(service), seen_(seen), verb_(verb), out_(verb) {}

  Result<Plan> run() {
    if (needs_engine(service_)) {
      if (seen_.engine.state == EngineState::unreachable) return Err{seen_.engine.error};
      if (seen_.engine.state == EngineState::crashed) {
        // Its containers may live on and hold the address: the engine ends them when it comes back.
        out_.add(Step(EngineStart{}));
        out_.plan().partial = true;
        return std::move(out_.plan());
      }
      if (!service_.handover) containers_that_join();
    }
    for (const auto& ip : service_.ips)
      if (takes_part(verb_, ip)) {
        TRY(withdraw(ip));
        revoke_host_access(ip);
      }
    if (verb_ == Verb::withdraw) return std::move(out_.plan());
    if (service_.handover) {
      yield();
      containers_that_join();
    }
    withdraw_unnamed();
    give_back_strays();
    release_vlans();
    release_ports();
    containers_that_own();
    leftovers();
    stop_engine();
    return std::move(out_.plan());
  }

 private:
  [[nodiscard]] const ObservedContainer* ours(const ContainerResource& c) const {
    const auto found = seen_.containers.find(c.id);
    if (found == seen_.containers.end()) return nullptr;
    return c.existing || found->second.service == service_.name ? &found->second : nullptr;
  }

  [[nodiscard]] bool joins(const ContainerResource& c) const { return service_.container(c.netns) != nullptr; }

  // The last subset first; those of one subset together.
  void containers_that_join() {
    std::map<std::string, std::vector<const ContainerResource*>, std::greater<>> subsets;
    for (const auto& c : service_.containers)
      if (joins(c) && takes_part(verb_, c) && ours(c) != nullptr) subsets[c.subset].push_back(&c);
    std::vector<std::size_t> ended = withdrawn_;
    for (const auto& [subset, members] : subsets) {
      std::vector<std::size_t> now;
      for (const auto* c : members) {
        const std::size_t before = now.size();
        const auto removed = end(c->id, *ours(*c), keeping(*c), ended, now);
        if (removed)
          siblings_removed_[c->netns].push_back(*removed);
        else
          kept_for_siblings_.insert(c->netns);
        if (now.size() > before) siblings_ended_[c->netns].push_back(now.back());
        withdraw_stranded(*c, *ours(*c));
      }
      ended.insert(ended.end(), now.begin(), now.end());
    }
  }

  void withdraw_stranded(const ContainerResource& c, const ObservedContainer& have) {
    const auto* owner = ours(*service_.container(c.netns));
    if (have.netns && owner != nullptr && owner->netns && owner->netns->same_as(*have.netns)) return;
    for (const auto& link : remove_stranded_links(c.id, have)) {
      Step remove(link, c.id);
      remove.after = siblings_ended_[c.netns];
      out_.add(std::move(remove));
    }
  }

  void containers_that_own() {
    for (const auto& c : service_.containers) {
      if (joins(c) || !takes_part(verb_, c)) continue;
      const auto* have = ours(c);
      if (have == nullptr) continue;
      std::vector<std::size_t> after = siblings_ended_[c.id];
      after.insert(after.end(), addresses_gone_[c.id].begin(), addresses_gone_[c.id].end());
      after.insert(after.end(), withdrawn_.begin(), withdrawn_.end());
      // The kernel takes a link out at once and then waits some 16 ms for whoever may still look at it. The container
      // is stopped meanwhile, which takes longer; its namespace, which this run holds, cannot go before the link.
      std::vector<std::size_t> ended;
      std::vector<std::size_t> before_removal = links_gone_[c.id];
      if (seen_.engine.keeps_joined) {
        const auto& removed = siblings_removed_[c.id];
        before_removal.insert(before_removal.end(), removed.begin(), removed.end());
      }
      end(c.id, *have, keeping(c), after, ended, before_removal);
    }
  }

  void leftovers() {
    for (const auto& left : seen_.leftovers) {
      std::vector<std::size_t> ended;
      end(left.resource, left, is_superseded(left) ? Keeping::removed : Keeping::kept, {}, ended);
    }
  }

  // A killed start has put it aside for one that has come to run. What has not is removed by this stop, and the next
  // start goes on with what was put aside.
  [[nodiscard]] bool is_superseded(const ObservedContainer& left) const {
    const auto next = seen_.containers.find(left.resource);
    return is_retired(left) && next != seen_.containers.end() && next->second.state != "created";
  }

  // What becomes of a stopped container.
  enum class Keeping { kept, removed, removed_with_volumes, somebody_elses };

  static Keeping keeping(const ContainerResource& c) {
    if (c.existing) return Keeping::somebody_elses;
    if (c.rm) return Keeping::removed_with_volumes;
    return c.detach ? Keeping::kept : Keeping::removed;
  }

  // Stops the container if it runs, and removes it if the spec says so or if it is rubbish. Returns the step that
  // removes it.
  std::optional<std::size_t> end(const std::string& resource, const ObservedContainer& have, Keeping keeping,
                                 const std::vector<std::size_t>& after, std::vector<std::size_t>& ended,
                                 const std::vector<std::size_t>& before_removal = {}) {
    const ContainerRef container{have.id, have.name};
    const bool with_volumes = removes_volumes(have, keeping == Keeping::removed_with_volumes || have.auto_remove);
    Step remove(ContainerRemove{container, false, with_volumes}, resource);
    remove.after = after;
    if (have.running || have.state == "paused" || have.state == "restarting") {
      Step stop(ContainerStop{container}, resource);
      stop.after = after;
      ended.push_back(out_.add(std::move(stop)));
      remove.after = {ended.back()};
    }
    // It stays, stopped, as long as one that joins it; the next start takes both up again.
    if (seen_.engine.keeps_joined && kept_for_siblings_.contains(resource)) return std::nullopt;
    if (keeping == Keeping::somebody_elses) return std::nullopt;
    if (keeping != Keeping::kept || is_rubbish(have)) {
      // Nobody has to wait for it, but where the engine says so.
      remove.after.insert(remove.after.end(), before_removal.begin(), before_removal.end());
      return out_.add(std::move(remove));
    }
    return std::nullopt;
  }

  // Of a service that can be handed over the addresses go first, and whoever waits for them hears of it, before the
  // containers take their time to end.
  void yield() {
    Step step(AddressYield{});
    step.tolerate = true;  // who waits finds out by itself, later
    for (std::size_t i = 0; i < out_.plan().steps.size(); ++i)
      if (out_.plan().steps[i].is<AddressRemove>()) step.after.push_back(i);
    if (step.after.empty()) return;  // there was nothing to be had
    withdrawn_ = step.after;
    for (const auto& ip : service_.ips)
      if (step.resource.empty() && takes_part(verb_, ip)) step.resource = ip.id;
    out_.add(std::move(step));
  }

  Result<void> withdraw(const IpResource& ip) {
    if (ip.type == IpType::host) return withdraw_from(ip, seen_.node);
    const auto* owner = service_.container(ip.netns);
    const auto* have = owner == nullptr ? nullptr : ours(*owner);
    if (have == nullptr || !have->netns) return {};
    if (ip.type == IpType::encap) return withdraw_from(ip, *have->netns);
    const Place place = place_of(service_, ip);
    const auto* link = have->netns->link(place.device);
    if (link == nullptr || !links_removed_.insert(ip.netns + " " + place.device).second) return {};
    LinkRemove remove_it{place, std::nullopt};
    if (planned_mode(ip, seen_) == IpMode::dedicated) remove_it.origin = uplink(ip);
    Step remove_link(std::move(remove_it), ip.id);
    remove_link.after = siblings_ended_[ip.netns];
    // Every address of the link, not only those that the spec names today: a spec may have changed while it ran.
    for (const auto& address : have->netns->addresses) {
      if (address.link != link->index || (address.cidr.address().is_v6() && address.cidr.address().is_link_local()))
        continue;
      Step remove(AddressRemove{place, address.cidr}, ip.id);
      remove.after = siblings_ended_[ip.netns];
      addresses_gone_[ip.netns].push_back(out_.add(std::move(remove)));
      remove_link.after.push_back(addresses_gone_[ip.netns].back());
    }
    if (verb_ == Verb::withdraw) return {};
    add_link_removal(ip.netns, std::move(remove_link));
    return {};
  }

  void add_link_removal(const std::string& owner, Step remove) {
    const bool given = std::get<LinkRemove>(remove.operation).origin.has_value();
    links_gone_[owner].push_back(out_.add(std::move(remove)));
    // A device that is to come back must be out before its namespace can go, also should this run be killed between.
    if (given) addresses_gone_[owner].push_back(links_gone_[owner].back());
  }

  // The node's routes to the ip's addresses, those that the spec names and those that are there; and the node's link
  // where nobody has a route through it any more: a killed start left it.
  void revoke_host_access(const IpResource& ip) {
    const auto* way = host_link(seen_, ip);
    if (ip.type != IpType::netns || way == nullptr) return;
    std::set<IpAddress> addresses;
    if (const auto named = resolved_addresses(ip, seen_)) addresses.insert(named->begin(), named->end());
    const auto owner = seen_.containers.find(ip.netns);
    if (owner != seen_.containers.end() && owner->second.netns)
      for (const auto& have : owner->second.netns->addresses) addresses.insert(have.cidr.address());
    const bool idle = std::none_of(seen_.node.routes.begin(), seen_.node.routes.end(), [&](const ObservedRoute& r) {
      return r.link == way->index && r.destination && r.destination->prefix() == r.destination->address().bits();
    });
    for (const auto& address : addresses) {
      if (!idle && !has_host_route(seen_.node, *way, address)) continue;
      Step revoke(HostAccessRevoke{uplink(ip), address}, ip.id);
      revoke.after = siblings_ended_[ip.netns];
      out_.add(std::move(revoke));
      if (idle) return;
    }
  }

  // Links under a name that the spec had when the service was started.
  void withdraw_unnamed() {
    for (const auto& c : service_.containers) {
      const auto* have = ours(c);
      if (have == nullptr || c.existing || !takes_part(verb_, c) || have->network_mode != "none") continue;
      for (const auto& link : remove_stranded_links(c.id, *have)) {
        if (links_removed_.contains(c.id + " " + link.link.device)) continue;
        Step remove(link, c.id);
        remove.after = siblings_ended_[c.id];
        add_link_removal(c.id, std::move(remove));
        addresses_gone_[c.id].push_back(links_gone_[c.id].back());
      }
    }
  }

  // Devices of the node that came home under another name when their container died.
  void give_back_strays() {
    for (const auto& ip : service_.ips) {
      if (ip.mode != IpMode::dedicated || !takes_part(verb_, ip)) continue;
      const auto* stray = dedicated_on_node(ip, seen_);
      if (stray == nullptr || !DedicatedMark::parse(stray->alias)) continue;
      out_.add(Step(LinkRemove{{{}, stray->name}, uplink(ip)}, ip.id));
    }
  }

  // The VLAN devices that this service uses, whatever the spec says today.
  void release_vlans() {
    const std::size_t before = out_.plan().steps.size();
    for (const auto& link : seen_.node.links) {
      if (link.group != kVlanGroup) continue;
      const bool orphan = link.vlan_users.empty();
      for (const auto& ip : service_.ips)
        if (orphan && uplink(ip) == link.name) release_vlan(link.name, ip.id, before);
      for (const auto& user : link.vlan_users)
        if (const auto resource = vlan_user_resource(service_.name, user); !resource.empty() && !kept(resource))
          release_vlan(link.name, resource, before);
    }
  }

  // A resource that this verb leaves up.
  [[nodiscard]] bool kept(const std::string& resource) const {
    return std::any_of(service_.ips.begin(), service_.ips.end(),
                       [&](const IpResource& ip) { return ip.id == resource && !takes_part(verb_, ip); });
  }

  // After all that this service has upon it: devices upon a VLAN device die with it.
  void release_vlan(const std::string& device, const std::string& resource, std::size_t before) {
    Step release(VlanRelease{device}, resource);
    for (std::size_t i = 0; i < before; ++i) release.after.push_back(i);
    out_.add(std::move(release));
  }

  // Open vSwitch keeps the name of a port whose link is gone.
  void release_ports() {
    for (const auto& [resource, ports] : seen_.open_vswitch.ports) {
      if (kept(resource)) continue;
      Step release(OvsRelease{}, resource);
      for (std::size_t i = 0; i < out_.plan().steps.size(); ++i)
        if (out_.plan().steps[i].is<LinkRemove>()) release.after.push_back(i);
      out_.add(std::move(release));
    }
  }

  // Those that the names of `ip` mean, and those that they meant when it was started.
  [[nodiscard]] Result<std::set<IpAddress>> plumbed_addresses(const IpResource& ip) const {
    std::set<IpAddress> out;
    for (const auto& name : ip.names)
      if (const auto former = seen_.former_names.find(name.to_string()); former != seen_.former_names.end())
        out.insert(former->second.begin(), former->second.end());
    const auto today = resolved_addresses(ip, seen_);
    if (!today && out.empty()) return Err{today.error()};
    if (today) out.insert(today->begin(), today->end());
    return out;
  }

  // The addresses go from a device that stays: the node's, or one that a container has of its own.
  Result<void> withdraw_from(const IpResource& ip, const ObservedNetns& home) {
    if (home.link(uplink(ip)) == nullptr) return {};  // no device, no address
    for (const auto& address : TRY(plumbed_addresses(ip))) {
      const auto* have = home.address(address);
      if (have == nullptr) continue;
      Place place = place_of(service_, ip);
      if (const auto* link = home.link(have->link)) place.device = link->name;
      Step remove(AddressRemove{std::move(place), have->cidr}, ip.id);
      remove.after = siblings_ended_[ip.netns];
      const auto index = out_.add(std::move(remove));
      addresses_gone_[ip.netns].push_back(index);
    }
    return {};
  }

  void stop_engine() {
    if (!seen_.engine.is_private || seen_.engine.state != EngineState::up) return;
    for (const auto& c : service_.containers) {
      const auto* have = ours(c);
      if (!takes_part(verb_, c) && have != nullptr && have->running) return;  // who is on standby needs it
    }
    Step step(EngineStop{});
    for (std::size_t i = 0; i < out_.plan().steps.size(); ++i) step.after.push_back(i);
    out_.add(std::move(step));
  }

  const Service& service_;
  const Observed& seen_;
  Verb verb_;
  PlanBuilder out_;
  std::map<std::string, std::vector<std::size_t>> siblings_ended_;    // by owner's id
  std::map<std::string, std::vector<std::size_t>> addresses_gone_;    // by owner's id
  std::map<std::string, std::vector<std::size_t>> links_gone_;        // by owner's id
  std::map<std::string, std::vector<std::size_t>> siblings_removed_;  // by owner's id
  std::vector<std::size_t> withdrawn_;                                // before any container ends
  std::set<std::string> kept_for_siblings_;                           // owners' ids
  std::set<std::string> links_removed_;                               // "owner's id, device"
};

}  // namespace

Result<Plan> plan_stop(const Service& service, const Observed& seen, Verb verb) {
  return StopPlanner(service, seen, verb).run();
}

}  // namespace plumb
