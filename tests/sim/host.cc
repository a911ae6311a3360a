#include "tests/sim/host.h"

#include <algorithm>

#include "specs/plan/plan_builder.h"
#include "specs/plan/planned_address.h"
#include "specs/plan/spec_hash.h"

namespace plumb::sim {

namespace {

constexpr int kUplink = 2;

}  // namespace

Host::Host(Service service)
    : service_(std::move(service)),
      address_(*service_.ips.front().names.front().address()),
      cidr_(Cidr::make(address_, *service_.ips.front().netmask_v4).value()) {
  node_.inode = 1;
  node_.links = {{1, "lo", "", {}, 65536, true, true, 0, 0},
                 {kUplink, "eth0", "", Mac::parse("02:00:00:00:00:01").value(), 1500, true, true, 0, 0}};
}

ObservedContainer* Host::named(const std::string& name) {
  for (auto& [id, c] : containers_)
    if (c.name == name) return &c;
  return nullptr;
}

const ObservedContainer* Host::resource(const std::string& id) const {
  const auto* resource = service_.container(id);
  if (resource == nullptr) return nullptr;
  for (const auto& [key, c] : containers_)
    if (c.name == resource->name) return &c;
  return nullptr;
}

ObservedContainer* Host::resource(const std::string& id) {
  return const_cast<ObservedContainer*>(std::as_const(*this).resource(id));  // NOLINT
}

ObservedNetns* Host::space(const std::string& container) {
  if (container.empty()) return &node_;
  const auto* c = resource(container);
  const auto found = c == nullptr ? space_of_.end() : space_of_.find(c->id);
  return found == space_of_.end() ? nullptr : &spaces_.at(found->second);
}

// Where the address belongs.
ObservedNetns* Host::home() { return space(service_.ips.front().netns); }

const ObservedNetns* Host::home() const { return const_cast<Host*>(this)->home(); }  // NOLINT

int Host::link_index() const {
  const auto* ns = home();
  const auto& ip = service_.ips.front();
  const auto* link = ns == nullptr ? nullptr : ns->link(place_of(service_, ip).device);
  return link == nullptr ? 0 : link->index;
}

Observed Host::observe() const {
  Observed out;
  out.engine.state = service_.containers.empty() ? EngineState::unused : engine_;
  if (out.engine.state == EngineState::unreachable) out.engine.error = {ErrorKind::unreachable, 0, "no engine", {}};
  const auto with_carrier = [this](ObservedNetns ns) {
    for (auto& link : ns.links)
      if (link.name != "lo") link.carrier = carrier_ && link.up;
    return ns;
  };
  out.node = with_carrier(node_);
  if (engine_ != EngineState::up) return out;
  std::vector<ObservedContainer> others;
  for (const auto& [id, c] : containers_) {
    auto seen = c;
    if (const auto ns = space_of_.find(id); ns != space_of_.end()) {
      seen.netns = ObservedNetns{0, ns->second, {}, {}, {}};
      const auto* its = service_.container(c.resource);
      const auto* owner = its == nullptr ? nullptr : resource(its->netns);
      const auto lent = owner == nullptr ? space_of_.end() : space_of_.find(owner->id);
      if (owner == nullptr || lent == space_of_.end() || lent->second != ns->second)
        seen.netns = with_carrier(spaces_.at(ns->second));
    }
    const auto* its = service_.container(c.resource);
    if (its != nullptr && its->name == c.name)
      out.containers[c.resource] = std::move(seen);
    else
      others.push_back(std::move(seen));
  }
  // What was made for a resource under another name stands for it where none has the name.
  for (auto& other : others)
    if (service_.container(other.resource) == nullptr || !out.containers.try_emplace(other.resource, other).second)
      out.leftovers.push_back(std::move(other));
  return out;
}

bool Host::create(const ContainerCreate& create, const std::string& resource) {
  if (named(create.name) != nullptr) return false;
  const auto& its = *service_.container(resource);
  ObservedContainer c;
  c.id = "id" + std::to_string(++last_);
  c.name = create.name;
  c.image = create.image;
  c.state = "created";
  c.service = service_.name;
  c.resource = resource;
  c.spec_hash = spec_hash(its);
  c.auto_remove = its.rm;
  c.network_mode = "none";
  if (service_.container(its.netns) != nullptr) {
    const auto* owner = this->resource(its.netns);
    if (owner == nullptr) return false;
    c.network_mode = "container:" + owner->id;
  }
  containers_[c.id] = c;
  return true;
}

bool Host::start(const ContainerStart& start) {
  auto* c = named(start.name);
  if (broken_ || c == nullptr || (start.id && c->id != *start.id)) return false;
  if (c->running) return true;
  std::uint64_t inode = 0;
  if (c->network_mode == "none") {
    inode = ++last_;
    spaces_[inode] = ObservedNetns{0, inode, {{1, "lo", "", {}, 65536, true, true, 0, 0}}, {}, {}};
  } else {
    const auto lender = space_of_.find(c->network_mode.substr(std::string("container:").size()));
    if (lender == space_of_.end()) return false;
    inode = lender->second;
  }
  c->running = true;
  c->state = "running";
  c->started_at = "2026-01-01T00:00:" + std::to_string(++last_) + "Z";
  space_of_[c->id] = inode;
  return true;
}

// Namespaces go with their last process.
void Host::sweep() {
  std::erase_if(spaces_, [this](const auto& ns) {
    return std::none_of(space_of_.begin(), space_of_.end(), [&](const auto& c) { return c.second == ns.first; });
  });
}

void Host::stop(ObservedContainer& container) {
  container.running = false;
  container.state = "exited";
  container.exit_code = 137;
  const std::string id = container.id;
  space_of_.erase(id);
  sweep();
  if (container.auto_remove) containers_.erase(id);
}

void Host::remove_link(const Place& place) {
  auto* ns = space(place.container);
  const auto* link = ns == nullptr ? nullptr : ns->link(place.device);
  if (link == nullptr) return;
  const int index = link->index;
  std::erase_if(ns->addresses, [&](const auto& a) { return a.link == index; });
  std::erase_if(ns->routes, [&](const auto& r) { return r.link == index; });
  std::erase_if(ns->links, [&](const auto& l) { return l.index == index; });
}

void Host::raise(const Place& place) {
  auto* ns = space(place.container);
  if (ns == nullptr) return;
  for (auto& link : ns->links)
    if (link.name == place.device) link.up = true;
}

bool Host::apply(const Step& step) {
  const auto needs_engine =
      step.is<ContainerRetire, ContainerCreate, ContainerStart, ContainerStop, ContainerRemove, ImageEnsure>();
  if (needs_engine && engine_ != EngineState::up) return false;
  const auto& what = step.operation;
  if (const auto* retire = std::get_if<ContainerRetire>(&what)) {
    const auto found = containers_.find(retire->container.id);
    if (found != containers_.end()) found->second.name += ".retired";
    return found != containers_.end();
  }
  if (const auto* it = std::get_if<ContainerCreate>(&what)) return create(*it, step.resource);
  if (const auto* it = std::get_if<ContainerStart>(&what)) return start(*it);
  if (const auto* halt = std::get_if<ContainerStop>(&what)) {
    if (const auto found = containers_.find(halt->container.id); found != containers_.end()) stop(found->second);
    return true;
  }
  if (const auto* gone = std::get_if<ContainerRemove>(&what)) {
    if (const auto found = containers_.find(gone->container.id); found != containers_.end()) {
      stop(found->second);
      containers_.erase(gone->container.id);
    }
    return true;
  }
  if (const auto* stale = std::get_if<LinkRemoveStale>(&what)) return remove_link(stale->link), true;
  if (const auto* remove = std::get_if<LinkRemove>(&what)) return remove_link(remove->link), true;
  if (const auto* make = std::get_if<LinkCreate>(&what)) {
    auto* ns = space(make->link.container);
    if (ns == nullptr || ns->link(make->link.device) != nullptr) return false;
    const int index = static_cast<int>(++last_);
    ns->links.push_back(
        {index, make->link.device, "macvlan", Mac::parse("02:00:00:00:01:01").value(), 1500, false, false, kUplink, 0});
    return true;
  }
  if (const auto* add = std::get_if<AddressAdd>(&what)) {
    auto* ns = space(add->place.container);
    const auto* link = ns == nullptr ? nullptr : ns->link(add->place.device);
    if (link == nullptr) return false;
    if (ns->address(add->cidr.address()) == nullptr) ns->addresses.push_back({add->cidr, link->index});
    return true;
  }
  if (const auto* remove = std::get_if<AddressRemove>(&what)) {
    auto* ns = space(remove->place.container);
    if (ns == nullptr) return true;
    std::erase_if(ns->addresses, [&](const auto& a) { return a.cidr == remove->cidr; });
    // The kernel's routes of a device go with its last address (net/ipv4/fib_frontend.c, fib_inetaddr_event).
    if (ns->addresses.empty()) ns->routes.clear();
    return true;
  }
  if (const auto* route = std::get_if<RouteSet>(&what)) {
    auto* ns = space(route->place.container);
    const auto* link = ns == nullptr ? nullptr : ns->link(route->place.device);
    if (link == nullptr || !link->up || ns->addresses.empty()) return false;  // "network is unreachable"
    ns->routes = {{std::nullopt, route->gateway, link->index}};
    return true;
  }
  return true;
}

std::optional<Step> Host::undo_of(const Step& step) const {
  const auto& what = step.operation;
  const auto find = [this](const std::string& name) -> ContainerRef {
    for (const auto& [id, c] : containers_)
      if (c.name == name) return {id, name};
    return {{}, name};
  };
  if (const auto* create = std::get_if<ContainerCreate>(&what))
    return Step(ContainerRemove{find(create->name), false, false}, step.resource);
  if (const auto* start = std::get_if<ContainerStart>(&what))
    return Step(ContainerStop{find(start->name)}, step.resource);
  if (const auto* make = std::get_if<LinkCreate>(&what))
    return Step(LinkRemove{make->link, std::nullopt}, step.resource);
  if (const auto* add = std::get_if<AddressAdd>(&what))
    return Step(AddressRemove{add->place, add->cidr}, step.resource);
  return std::nullopt;
}

bool Host::has_address() const {
  return std::any_of(spaces_.begin(), spaces_.end(),
                     [this](const auto& ns) {
                       const auto* have = ns.second.address(address_);
                       const auto* link = have == nullptr ? nullptr : ns.second.link(have->link);
                       return link != nullptr && link->up;
                     }) ||
         node_.address(address_) != nullptr;
}

void Host::put_address() {
  auto* ns = home();
  const int index = link_index();
  if (index == 0) return;
  if (ns->address(address_) == nullptr) ns->addresses.push_back({cidr_, index});
  const auto& gateway = service_.ips.front().gateway;
  if (gateway && !service_.ips.front().netns.empty()) ns->routes = {{std::nullopt, gateway, index}};
}

void Host::take_address() {
  auto* ns = home();
  if (ns == nullptr) return;
  std::erase_if(ns->addresses, [this](const auto& a) { return a.cidr.address() == address_; });
  if (ns->addresses.empty()) ns->routes.clear();
}

void Host::end_container(const std::string& id) {
  if (auto* c = resource(id); c != nullptr && c->running) stop(*c);
}

void Host::end_engine() {
  engine_ = EngineState::unreachable;
  std::vector<std::string> running;
  for (const auto& [id, c] : containers_)
    if (c.running) running.push_back(id);
  for (const auto& id : running) stop(containers_.at(id));
}

void Host::power_off() {
  containers_.clear();
  space_of_.clear();
  spaces_.clear();
  node_.addresses.clear();
}

bool Host::is_bare() const {
  return spaces_.empty() && !has_address() && std::none_of(containers_.begin(), containers_.end(), [](const auto& c) {
           return c.second.auto_remove || c.second.state == "created";
         });
}

}  // namespace plumb::sim
