#include "specs/plan/plan_start.h"

#include <algorithm>
#include <map>
#include <set>

#include "specs/plan/address_planner.h"
#include "specs/plan/fate.h"
#include "specs/plan/leftover.h"
#include "specs/plan/namespace_owner.h"
#include "specs/plan/plan_builder.h"
#include "specs/plan/planned_address.h"
#include "specs/plan/plumbed.h"
#include "specs/plan/precondition.h"
#include "specs/plan/stranded_link.h"

namespace plumb {

namespace {

class StartPlanner {
 public:
  StartPlanner(const Service& service, const Observed& seen, Verb verb)
      : service_(service),
        seen_(seen),
        verb_(verb),
        out_(verb),
        address_planner_(service, seen, out_),
        fates_(service, seen) {}

  Result<Plan> run() {
    TRY(check_node(service_));
    if (!service_.handover && hands_over())
      return Err{ErrorKind::refused, service_.name + " cannot be handed over: it has no handover = true",
                 "set it in [DEFAULT], if two instances may run for a moment; else plumb stop " + service_.name +
                     " there and plumb start " + service_.name + " here"};
    for (const auto& ip : service_.ips)
      if (wanted(ip) && ip.type != IpType::encap) TRY(check_uplink(service_, ip, seen_));
    if (std::any_of(service_.containers.begin(), service_.containers.end(), [&](const auto& c) { return wanted(c); })) {
      if (seen_.engine.state == EngineState::unreachable) return Err{seen_.engine.error};
      if (seen_.engine.state == EngineState::down || seen_.engine.state == EngineState::crashed)
        return until_engine_is_up();
    }
    order_containers();
    for (const auto* c : containers_) TRY(decide(*c));
    TRY(check_no_owner_is_left());
    remove_leftovers();
    if (TRY(until_containers_run())) return std::move(out_.plan());
    for (const auto* c : containers_) prepare(*c);
    if (hands_over()) start_containers();  // they wait for no address
    TRY(plumb_all());
    if (verb_ != Verb::prepare) warn_of_extra_addresses();
    start_containers();
    tidy();
    return std::move(out_.plan());
  }

 private:
  [[nodiscard]] bool wanted(const Resource& r) const { return !r.disable && takes_part(verb_, r); }

  [[nodiscard]] bool hands_over() const { return verb_ == Verb::prepare || verb_ == Verb::activate; }

  void start_containers() {
    std::stable_sort(containers_.begin(), containers_.end(),
                     [](const auto* one, const auto* other) { return one->subset < other->subset; });
    for (const auto* c : containers_) start(*c);
  }

  // --- the engine of the service is not up yet: start it, probe meanwhile, plan the rest then

  Result<Plan> until_engine_is_up() {
    out_.add(Step(EngineStart{}));
    // After a crash our own containers may still hold the address: a probe would find ourselves. And in a hand-over
    // another node is to have it.
    if (seen_.engine.state == EngineState::down && !hands_over())
      for (const auto& ip : service_.ips)
        if (wanted(ip) && ip.type != IpType::encap)
          for (const auto& address : TRY(planned_addresses(ip, seen_)))
            if (!(ip.type == IpType::host && seen_.node.address(address.cidr.address()) != nullptr))
              address_planner_.probe_early(ip, address);
    out_.plan().partial = true;
    return std::move(out_.plan());
  }

  // --- a container that has to run before its devices can be seen: start it, plan the rest then

  // Whether there is one. Nothing else is begun before, but all is checked that can be.
  Result<bool> until_containers_run() {
    std::set<const ContainerResource*> awaited;
    for (const auto& ip : service_.ips) {
      const auto* owner = service_.container(ip.netns);
      if (!wanted(ip) || ip.type != IpType::encap || owner == nullptr || !fates_.decided(owner->id)) continue;
      TRY(resolved_addresses(ip, seen_));
      if (fates_.at(owner->id) != Fate::keep) await(*owner, awaited);
    }
    if (awaited.empty()) return false;
    for (const auto& ip : service_.ips)
      if (wanted(ip) && ip.type != IpType::encap) TRY(planned_addresses(ip, seen_));
    for (const auto* c : containers_)
      if (awaited.contains(c)) prepare(*c);
    for (const auto* c : awaited) start(*c);
    tidy();
    out_.plan().partial = true;
    return true;
  }

  void await(const ContainerResource& c, std::set<const ContainerResource*>& awaited) const {
    if (!awaited.insert(&c).second) return;
    for (const auto* owner : service_.joined_by(c)) await(*owner, awaited);
  }

  // --- containers

  // Owners of namespaces come first, whatever the order of the file: what becomes of a sibling depends on its owner.
  void order_containers() {
    for (const auto& c : service_.containers) order_after_owners(c);
  }

  void order_after_owners(const ContainerResource& c) {
    if (!wanted(c) || !ordered_.insert(c.id).second) return;
    for (const auto* owner : service_.joined_by(c)) order_after_owners(*owner);
    containers_.push_back(&c);
  }

  [[nodiscard]] const ObservedContainer* observed(const ContainerResource& c) const {
    const auto found = seen_.containers.find(c.id);
    return found == seen_.containers.end() ? nullptr : &found->second;
  }

  Result<void> decide(const ContainerResource& c) {
    TRY(fates_.decide(c));
    if (fates_.changed(c.id)) warn_changed(c.id);
    return {};
  }

  void warn_changed(const std::string& id) {
    out_.warn(id + ": its configuration has changed since it was started; `plumb restart " + service_.name +
              "` applies it");
  }

  // Who owned the namespace has its addresses, and would be the rival of who is to own it by now.
  Result<void> check_no_owner_is_left() const {
    for (const auto& left : seen_.leftovers)
      for (const auto& ip : service_.ips)
        if (left.running && left.network_mode == "none" && wanted(ip) && ip.type == IpType::netns &&
            fates_.decided(ip.netns) && fates_.at(ip.netns) != Fate::keep)
          return Err{ErrorKind::refused,
                     ip.id + ": container " + left.name +
                         " of this service runs, has a namespace of its own, and the " + "configuration has it no more",
                     "apply the configuration with plumb restart " + service_.name};
    return {};
  }

  // What a killed start has left. Anything else that has no section any more is somebody's: it runs, or holds data.
  void remove_leftovers() {
    for (const auto& left : seen_.leftovers) {
      if (left.running)
        out_.warn("container " + left.name +
                  " of this service runs, and the configuration has it no more; `plumb restart " + service_.name +
                  "` stops it");
      else if (is_rubbish(left) || is_retired(left))
        leftover_removed_.push_back(out_.add(Step(
            ContainerRemove{{left.id, left.name}, false, removes_volumes(left, left.auto_remove)}, left.resource)));
    }
  }

  // Everything up to a container that is created and not started.
  void prepare(const ContainerResource& c) {
    const Fate fate = fates_.at(c.id);
    if (fate != Fate::create && fate != Fate::replace) return;
    const std::string image = c.builtin_pause ? std::string("plumb/pause (built in)") : c.image;
    std::vector<std::size_t> after{out_.add(Step(ImageEnsure{image}, c))};
    if (fate == Fate::replace) depend(after, make_room(c));
    after.insert(after.end(), leftover_removed_.begin(), leftover_removed_.end());
    for (const auto* owner : service_.joined_by(c)) depend(after, find(created_, owner->id));
    Step step(ContainerCreate{c.name, image, volumes_of(fate == Fate::replace ? observed(c) : nullptr, c)}, c);
    step.after = std::move(after);
    created_[c.id] = out_.add(std::move(step));
  }

  // Stops the container that holds the name, and renames it. One that its engine removes at its end, or is removing, is
  // waited for and must not be renamed: Docker, failing at that, would reserve the old name for ever (ContainerRename,
  // daemon/rename.go).
  std::optional<std::size_t> make_room(const ContainerResource& c) {
    const auto* have = observed(c);
    const ContainerRef old{have->id, have->name};
    Step goes(ContainerRemove{old, false, have->auto_remove}, c);
    if (!have->running && (have->auto_remove || have->state == "removing")) return out_.add(std::move(goes));
    std::optional<std::size_t> last;
    if (have->running) {
      Step stop(ContainerStop{old}, c);
      const auto links = remove_stranded_links(c.id, *have);
      // A device that is to come back must be out before its namespace goes.
      for (const auto& link : links)
        if (link.origin) stop.after.push_back(out_.add(Step(link, c.id)));
      last = out_.add(std::move(stop));
      if (service_.container(c.netns) != nullptr)
        for (const auto& link : links) {
          Step remove(link, c.id);
          remove.after = {*last};
          address_planner_.probe_after(out_.add(std::move(remove)));
        }
      if (have->auto_remove) {
        goes.after = {*last};
        return out_.add(std::move(goes));
      }
    }
    retired_.emplace_back(&c, have->id);
    if (have->name != c.name) return last;  // it is not in the way
    Step step(ContainerRetire{old}, c);
    depend(step.after, last);
    step.after.insert(step.after.end(), leftover_removed_.begin(), leftover_removed_.end());
    return out_.add(std::move(step));
  }

  void start(const ContainerResource& c) {
    if (started_.contains(c.id) || fates_.at(c.id) == Fate::keep) return;
    const auto* have = fates_.at(c.id) == Fate::start ? observed(c) : nullptr;
    Step step(ContainerStart{c.name, {}, !c.detach, have != nullptr && have->running}, c);
    if (have != nullptr) std::get<ContainerStart>(step.operation).id = have->id;
    depend(step.after, find(created_, c.id));
    for (const auto* owner : service_.joined_by(c)) {
      if (owner->disable) continue;
      start(*owner);
      depend(step.after, find(started_, owner->id));
      if (owner->id != c.netns) continue;
      if (const auto found = plumbed_.find(owner->id); found != plumbed_.end())
        step.after.insert(step.after.end(), found->second.begin(), found->second.end());
    }
    if (!owns_namespace(service_, c)) await_earlier(c, step.after);
    started_[c.id] = out_.add(std::move(step));
  }

  // A subset begins after the starts of the subsets before it. In the order of the file, what follows a container that
  // the start waits for begins after its end, and that one after the start of what is before it. Owners of namespaces
  // wait for nobody: others need them first.
  void await_earlier(const ContainerResource& c, std::vector<std::size_t>& after) const {
    for (const auto* earlier : containers_) {
      if (earlier == &c) return;
      if (!earlier->detach || !c.detach || earlier->subset < c.subset) depend(after, find(started_, earlier->id));
    }
  }

  void tidy() {
    const std::size_t before = out_.plan().steps.size();
    std::reverse(retired_.begin(), retired_.end());  // owners last, where the engine keeps those that are joined
    for (const auto& [c, id] : retired_) {
      Step step(ContainerRemove{{id, c->name}, true, false}, *c);
      step.tolerate = true;
      const std::size_t waits_for = seen_.engine.keeps_joined ? out_.plan().steps.size() : before;
      for (std::size_t i = 0; i < waits_for; ++i) step.after.push_back(i);
      out_.add(std::move(step));
    }
  }

  // --- addresses

  // Where an ip's addresses go.
  struct Home {
    std::vector<PlannedAddress> addresses;
    const ObservedNetns* ns = nullptr;  // nullptr: of a container that is yet to be made
    std::vector<std::size_t> base;      // the steps that it waits for
  };

  Result<void> plumb_all() {
    std::vector<std::pair<const IpResource*, Home>> homes;
    for (const auto& ip : service_.ips)
      if (wanted(ip))
        if (auto home = TRY(home_of(ip))) homes.emplace_back(&ip, *std::move(home));
    if (verb_ == Verb::prepare) return {};
    if (verb_ == Verb::activate) request_addresses(homes);
    for (const auto& [ip, home] : homes) {
      const auto last = address_planner_.plumb(*ip, home.addresses, home.ns, home.base);
      if (ip->type != IpType::host) plumbed_[ip->netns].insert(plumbed_[ip->netns].end(), last.begin(), last.end());
    }
    return {};
  }

  // The node that has the addresses is asked for them when all is ready that needs none: from then on nobody has them.
  // A link that has a given MAC has to wait, since the other node's has it, too.
  void request_addresses(const std::vector<std::pair<const IpResource*, Home>>& homes) {
    AddressRequest request{{}, service_.handover_by_force};
    for (const auto& [ip, home] : homes) {
      const std::size_t before = request.wanted.size();
      for (const auto& [cidr, gateway, direct] : home.addresses)
        if (home.ns == nullptr || home.ns->address(cidr.address()) == nullptr)
          request.wanted.push_back({ip->id, cidr.address(), address_planner_.heard_from(*ip), gateway});
      if (request.wanted.size() > before && ip->type == IpType::netns && !ip->macaddr)
        address_planner_.link_early(*ip, home.ns, home.base);
    }
    if (request.wanted.empty()) return;
    const std::string first = request.wanted.front().ip;
    Step step(std::move(request), first);
    for (std::size_t i = 0; i < out_.plan().steps.size(); ++i) step.after.push_back(i);
    address_planner_.claim_after(out_.add(std::move(step)));
  }

  // nullopt: it is left as it is, with a warning.
  Result<std::optional<Home>> home_of(const IpResource& ip) {
    Home out;
    out.ns = ip.type == IpType::encap ? TRY(device_in_container(ip)) : &seen_.node;
    out.addresses = TRY(planned_addresses(ip, seen_));
    warn_of_old_names(ip);
    TRY(check_node_has_not(service_, ip, out.addresses, seen_));
    for (const auto& address : out.addresses) addresses_.insert(address.cidr.address());
    if (ip.type == IpType::host && !ip.standby) warn_of_foreign_addresses(ip, out.addresses);
    if (ip.type == IpType::encap) {
      TRY(check_container_has_not(ip, out.addresses, *out.ns));
    } else if (ip.type == IpType::netns) {
      const auto* owner = service_.container(ip.netns);
      if (owner == nullptr || owner->disable)
        return Err{ErrorKind::refused, ip.id + ": netns = " + ip.netns + " is disabled",
                   "disable " + ip.id + " too, or enable " + ip.netns};
      start(*owner);
      out.ns = nullptr;
      if (const auto* have = observed(*owner); fates_.at(owner->id) == Fate::keep && have != nullptr && have->netns)
        out.ns = &*have->netns;
      if (out.ns != nullptr && plumbed_otherwise(service_, ip, out.addresses, *out.ns, seen_)) {
        warn_changed(ip.id);
        return std::optional<Home>{};
      }
      depend(out.base, find(started_, owner->id));
    }
    return std::optional<Home>{std::move(out)};
  }

  void warn_of_extra_addresses() {
    for (const auto* c : containers_)
      if (const auto* have = observed(*c); fates_.at(c->id) == Fate::keep && !c->existing)
        for (auto& warning : extra_addresses(service_, *have, addresses_)) out_.warn(c->id + ": " + warning);
  }

  // The node's own, perhaps.
  void warn_of_foreign_addresses(const IpResource& ip, const std::vector<PlannedAddress>& addresses) {
    if (!seen_.unknown_here || seen_.after_a_kill) return;
    for (const auto& address : addresses)
      if (seen_.node.address(address.cidr.address()) != nullptr)
        out_.warn(ip.id + ": " + address.cidr.to_string() + " is on this node already, and not by a start of " +
                  service_.name + ": it counts as the service's from now on, and a stop removes it");
  }

  void warn_of_old_names(const IpResource& ip) {
    for (const auto& name : ip.names)
      if (const auto old = seen_.old_names.find(name.to_string()); old != seen_.old_names.end())
        out_.warn(ip.id + ": ipname " + name.to_string() +
                  ": no answer from the resolver; its addresses are those of " + std::to_string(old->second.count()) +
                  " minutes ago");
    for (const auto& name : ip.names)
      if (seen_.new_names.contains(name.to_string()))
        out_.warn(ip.id + ": ipname " + name.to_string() + " means another address by now; `plumb restart " +
                  service_.name + "` applies it");
  }

  Result<const ObservedNetns*> device_in_container(const IpResource& ip) const {
    const auto found = seen_.containers.find(ip.netns);
    if (found == seen_.containers.end() || !found->second.netns)
      return Err{ErrorKind::refused,
                 ip.id + ": " + ip.netns + " has no network namespace of its own: it runs in the node's",
                 "for an address on the node, remove the tag encap from [" + ip.id + "]"};
    TRY(check_device(ip, *found->second.netns));
    return &*found->second.netns;
  }

  static std::optional<std::size_t> find(const std::map<std::string, std::size_t>& map, const std::string& id) {
    const auto found = map.find(id);
    return found == map.end() ? std::nullopt : std::optional<std::size_t>(found->second);
  }

  const Service& service_;
  const Observed& seen_;
  Verb verb_;
  PlanBuilder out_;
  AddressPlanner address_planner_;
  std::set<std::string> ordered_;
  std::vector<const ContainerResource*> containers_;  // those that take part, owners first
  Fates fates_;
  std::set<IpAddress> addresses_;  // of all ips
  std::map<std::string, std::size_t> created_;
  std::map<std::string, std::size_t> started_;
  std::map<std::string, std::vector<std::size_t>> plumbed_;  // by owner's id: the last step of each address
  std::vector<std::size_t> leftover_removed_;
  std::vector<std::pair<const ContainerResource*, std::string>> retired_;  // with its container's id
};

}  // namespace

Result<Plan> plan_start(const Service& service, const Observed& seen, Verb verb) {
  return StartPlanner(service, seen, verb).run();
}

}  // namespace plumb
