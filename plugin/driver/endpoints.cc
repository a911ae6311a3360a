// Endpoints: made, joined, left and removed.
#include <algorithm>

#include "plugin/driver/endpoint_link.h"
#include "plugin/driver/id_lock.h"
#include "plugin/driver/log.h"
#include "plugin/driver/mac_choice.h"
#include "plugin/driver/networks.h"
#include "plugin/driver/parent.h"
#include "plugin/node/bridge_port.h"
#include "plugin/node/dedicated_device.h"
#include "plugin/node/device.h"
#include "specs/service/uplink.h"

namespace plumb::driver {

namespace {

bool is_pair(IpMode mode) { return mode == IpMode::bridge || mode == IpMode::ovs; }

// The mark of the parent that becomes the endpoint's own.
Result<DedicatedMark> mark_of_parent(const std::string& device) {
  auto node = TRY(open_node());
  const auto link = TRY(device_named(node, device));
  if (!link)
    return Err{ErrorKind::not_found, "find device " + device + ": no such device", "another container may have it"};
  return mark_of(device, *link);
}

// Whatever the network's policy is: who sends to the address from this node would never leave it.
Result<void> check_node_has_not(const std::vector<Cidr>& addresses) {
  for (const auto& cidr : addresses)
    if (const auto device = TRY(device_with(cidr.address())); !device.empty())
      return Err{ErrorKind::conflict,
                 "address " + cidr.address().to_string() + ": this node itself has it, on " + device,
                 "choose another address for the container"};
  return {};
}

// The engine would find no way through itself.
Result<void> check_is_no_gateway(const NetworkRecord& network, const std::vector<Cidr>& addresses) {
  for (const auto& cidr : addresses)
    if (gateway_of(network, cidr.address()) == cidr.address())
      return Err{ErrorKind::conflict, "address " + cidr.address().to_string() + ": it is the network's gateway",
                 "choose another address for the container"};
  return {};
}

}  // namespace

Mac Networks::mac_for(const NetworkRecord& network, const std::vector<Cidr>& addresses) {
  if (network.parsed.mac == MacPolicy::random && !addresses.empty()) {
    const std::lock_guard lock(mutex_);
    const auto known = macs_.find({network.id, addresses.front().address()});
    if (known != macs_.end()) return known->second;
  }
  return choose_mac(network.parsed.mac, addresses);
}

// Without touching anything.
Result<EndpointRecord> Networks::plan_endpoint(const NetworkRecord& network, const std::string& id,
                                               const WantedInterface& wanted) {
  const auto& link = network.parsed.link;
  EndpointRecord record;
  record.id = id;
  record.network = network.id;
  record.mode = TRY(check_parent(link));
  record.uplink = uplink(link);
  record.addresses = wanted.addresses;
  record.device = link_name(id);
  if (is_ipvlan(record.mode) && wanted.mac)
    return Err{ErrorKind::unsupported, "an ipvlan has its parent's MAC address, not " + wanted.mac->to_string(),
               "leave --mac-address out, or create the network with -o mode=macvlan"};
  if (is_pair(record.mode)) record.outer = endpoint_port_name(id);
  if (record.mode == IpMode::dedicated) {
    record.was = TRY(mark_of_parent(link.ipdev));
    record.device = link.ipdev;
    record.mac = wanted.mac ? wanted.mac : record.was->mac;
  } else if (!is_ipvlan(record.mode)) {
    record.mac = wanted.mac ? *wanted.mac : mac_for(network, wanted.addresses);
    record.mac_chosen = !wanted.mac && network.parsed.mac == MacPolicy::random;
  }
  return record;
}

std::vector<EndpointRecord> Networks::holders(const std::string& device, const IpAddress& address) {
  std::vector<EndpointRecord> out;
  const std::lock_guard lock(mutex_);
  for (const auto& [id, endpoint] : endpoints_)
    if (endpoint.uplink == device && std::any_of(endpoint.addresses.begin(), endpoint.addresses.end(),
                                                 [&](const Cidr& cidr) { return cidr.address() == address; }))
      out.push_back(endpoint);
  return out;
}

// Nobody has use for it: its link went with an engine that was killed, or is here, where no engine will come for it any
// more.
bool Networks::is_abandoned(const EndpointRecord& endpoint) {
  see(endpoint.id);
  bool left_over = false;
  {
    const std::lock_guard lock(mutex_);
    if (busy_.contains(endpoint.id)) return false;
    left_over = left_over_.contains(endpoint.id);
  }
  const auto where = find_endpoint_link(endpoint);
  return where && (*where == Whereabouts::nowhere || (left_over && *where == Whereabouts::node));
}

// The record becomes known, unless somebody on the same uplink has the address.
Result<void> Networks::enter(const EndpointRecord& endpoint) {
  const auto taken = [](const IpAddress& address, const std::string& id) {
    return Err{ErrorKind::conflict,
               "address " + address.to_string() + ": endpoint " + id.substr(0, 12) + " of this node has it",
               "stop that container first, or choose another address"};
  };
  for (const auto& cidr : endpoint.addresses) {
    for (const auto& holder : holders(endpoint.uplink, cidr.address())) {
      if (!is_abandoned(holder)) return taken(cidr.address(), holder.id);
      const IdLock id_lock(*this, holder.id);
      if (find_endpoint(holder.id)) TRY(clear(holder));
    }
  }
  const std::lock_guard lock(mutex_);
  for (const auto& [id, other] : endpoints_) {
    if (other.uplink != endpoint.uplink) continue;
    for (const auto& cidr : endpoint.addresses)
      if (std::any_of(other.addresses.begin(), other.addresses.end(),
                      [&](const Cidr& theirs) { return theirs.address() == cidr.address(); }))
        return taken(cidr.address(), id);
  }
  endpoints_.emplace(endpoint.id, endpoint);
  remember_mac(endpoint);
  count();
  return {};
}

// With the mutex.
void Networks::remember_mac(const EndpointRecord& endpoint) {
  if (endpoint.mac_chosen && endpoint.mac && !endpoint.addresses.empty())
    macs_.insert_or_assign({endpoint.network, endpoint.addresses.front().address()}, *endpoint.mac);
}

Result<void> Networks::apply_conflict_policy(const NetworkRecord& network, const EndpointRecord& endpoint,
                                             const EndpointClaims::Rival& rival) {
  metrics_.count(Event::conflict);
  const std::string what =
      "address " + rival.address.to_string() + ": " + rival.who + " answers for it on " + endpoint.uplink;
  const auto policy = network.parsed.link.conflict;
  if (policy == ConflictPolicy::fail)
    return Err{ErrorKind::conflict, what,
               "the container may still run on another node: stop it there, or fence that node"};
  say_of_endpoint(endpoint.id, "warning: " + what + "; made all the same (conflict=" +
                                   (policy == ConflictPolicy::warn ? "warn" : "takeover") + ")");
  return {};
}

// A rival with the MAC of an endpoint that was just cleared away is its link, in a namespace that is ending: asked
// again until it is silent, or somebody else answers. Returns when it may be asked.
bool Networks::is_ending(const Mac& rival) {
  std::unique_lock lock(mutex_);
  const auto ends = [&] {
    const auto gone = gone_.find(rival);
    return gone != gone_.end() && gone->second >= Clock::now();
  };
  if (!ends()) return false;
  id_freed_.wait_for(lock, kAskedAgain, [&] { return !ends(); });
  return true;
}

// All addresses at once: their windows are one.
Result<void> Networks::claim(const NetworkRecord& network, const EndpointRecord& endpoint) {
  const auto& link = network.parsed.link;
  if (link.probe == ProbeProfile::off || endpoint.addresses.empty()) return {};
  TRY(check_audible(link, endpoint.mode));
  if (probed_from_link(endpoint.mode)) TRY(make_audible(endpoint));
  const auto rivals = TRY(claims_->ask(endpoint.id, [this](const Mac& mac) { return is_ending(mac); }));
  for (const auto& rival : rivals) TRY(apply_conflict_policy(network, endpoint, rival));
  return {};
}

// What was heard since the address was free. The engine tells the user what Join says.
Result<void> Networks::check_not_lost(const std::string& id) {
  const auto rival = claims_->loss(id);
  if (!rival) return {};
  metrics_.count(Event::conflict);
  return Err{ErrorKind::conflict,
             "address " + rival->address.to_string() + ": " + rival->who +
                 " has claimed it while the container was being started",
             "it was started on two nodes: it stays where it came up"};
}

// What has been running for a while has a loss of its own, which ends by itself.
Result<void> Networks::check_start(const std::string& id) {
  see(id);
  {
    const std::lock_guard lock(mutex_);
    if (!overdue_.contains(id)) return {};
  }
  return check_not_lost(id);
}

Result<EndpointRecord> Networks::make_endpoint(const NetworkRecord& network, const EndpointRecord& endpoint) {
  // The record comes first: what is made afterwards is found again by it.
  TRY(store_.put(RecordKind::endpoint, endpoint.id, encode(endpoint)));
  TRY(ready_uplink(network));
  claims_->know(network, endpoint);
  const bool link_first = probed_from_link(endpoint.mode);
  if (!link_first) TRY(claim(network, endpoint));
  TRY(make_endpoint_link(network, endpoint));
  if (link_first) TRY(claim(network, endpoint));
  if (network.parsed.link.host_access) {
    {
      const std::lock_guard lock(mutex_);
      host_sides_.try_emplace(endpoint.id);  // before the first: a failure takes back what there is
    }
    auto sides = TRY(grant_endpoint_access(endpoint));
    const std::lock_guard lock(mutex_);
    host_sides_.insert_or_assign(endpoint.id, std::move(sides));
  }
  TRY(check_not_lost(endpoint.id));
  watch_over(endpoint.id, kEnginePatience);
  return endpoint;
}

Result<EndpointRecord> Networks::create_endpoint(const std::string& network_id, const std::string& id,
                                                 const WantedInterface& wanted) {
  const IdLock id_lock(*this, id);
  const auto network = TRY(find_network(network_id));
  if (const auto known = find_endpoint(id)) {
    // Asked again: the answer was lost.
    if (known->network != network_id || known->addresses != wanted.addresses ||
        (wanted.mac && wanted.mac != known->mac))
      return Err{ErrorKind::exists, "endpoint " + id.substr(0, 12) + " exists, with another address or network"};
    {
      const std::lock_guard lock(mutex_);
      left_over_.erase(id);
    }
    if (TRY(find_endpoint_link(*known)) != Whereabouts::nowhere) return *known;
    return make_endpoint(network, *known);
  }
  TRY(check_is_no_gateway(network, wanted.addresses));
  TRY(check_node_has_not(wanted.addresses));
  const auto& link = network.parsed.link;
  if (link.mode == IpMode::dedicated) TRY(check_neighbours(link.ipdev, link.mode));
  EndpointRecord record = TRY(plan_endpoint(network, id, wanted));
  record.boot_id = boot_;
  TRY(check_neighbours(record.uplink, record.mode));
  TRY(enter(record));
  auto made = make_endpoint(network, record);
  if (!made) {
    if (auto cleared = clear(record); !cleared) say_of_endpoint(id, cleared.error().what);
  }
  return made;
}

Result<void> Networks::clear(const EndpointRecord& endpoint) {
  arrivals_->forget(endpoint.id);
  claims_->leave(endpoint.id);
  TRY(remove_endpoint_link(endpoint));
  claims_->withdraw(endpoint.id);
  // One that was refused had none: a way to its address is that of a service which has it.
  const bool granted = [&] {
    const std::lock_guard lock(mutex_);
    return host_sides_.contains(endpoint.id);
  }();
  if (granted) TRY(take_endpoint_access(endpoint));
  TRY(store_.remove(RecordKind::endpoint, endpoint.id));
  const std::lock_guard lock(mutex_);
  if (endpoint.mac) gone_.insert_or_assign(*endpoint.mac, Clock::now() + kNamespaceEnd);
  endpoints_.erase(endpoint.id);
  left_over_.erase(endpoint.id);
  host_sides_.erase(endpoint.id);
  overdue_.erase(endpoint.id);
  count();
  return {};
}

Result<void> Networks::delete_endpoint(const std::string& id) {
  const IdLock id_lock(*this, id);
  const auto known = find_endpoint(id);
  if (!known) return remove_unknown_link(id);
  auto cleared = clear(*known);
  if (!cleared) watch_over(id, kEnginePatience);  // the engine only logs it, and does not ask again
  return cleared;
}

Arrival Networks::arrival_of(const EndpointRecord& endpoint) {
  Arrival arrival{endpoint, {}, way_out(network_of(endpoint), endpoint).own};
  const std::lock_guard lock(mutex_);
  if (const auto sides = host_sides_.find(endpoint.id); sides != host_sides_.end()) arrival.host = sides->second;
  return arrival;
}

// One that is not known any more has no wishes.
NetworkRecord Networks::network_of(const EndpointRecord& endpoint) {
  const std::lock_guard lock(mutex_);
  const auto found = networks_.find(endpoint.network);
  return found == networks_.end() ? NetworkRecord{endpoint.network, {}, {}, false, {}} : found->second;
}

Result<JoinAnswer> Networks::join(const std::string& id, const std::string& sandbox) {
  const IdLock id_lock(*this, id);
  auto known = find_endpoint(id);
  if (!known)
    return Err{ErrorKind::not_found, "endpoint " + id.substr(0, 12) + ": this driver does not know it",
               "start the container again"};
  const auto network = TRY(find_network(known->network));
  known->sandbox = sandbox;
  claims_->join(*known);
  TRY(check_not_lost(id));
  TRY(store_.put(RecordKind::endpoint, id, encode(*known)));
  {
    const std::lock_guard lock(mutex_);
    endpoints_.insert_or_assign(id, *known);
    left_over_.erase(id);
  }
  arrivals_->expect(arrival_of(*known));
  return JoinAnswer{known->device, network.parsed.interface_prefix, way_out(network, *known)};
}

void Networks::leave(const std::string& id) {
  see(id);
  arrivals_->forget(id);
  claims_->leave(id);
}

std::optional<EndpointRecord> Networks::find_endpoint(const std::string& id) {
  const std::lock_guard lock(mutex_);
  const auto found = endpoints_.find(id);
  return found == endpoints_.end() ? std::nullopt : std::optional(found->second);
}

std::string Networks::endpoint_with(const std::string& network, const IpAddress& address) {
  const auto record = find_network(network);
  if (!record) return {};
  for (const auto& holder : holders(uplink(record->parsed.link), address))
    if (!is_abandoned(holder)) return holder.id;
  return {};
}

Result<bool> Networks::answers(const std::string& network_id, const IpAddress& address) {
  const auto network = TRY(find_network(network_id));
  if (!TRY(device_with(address)).empty()) return true;
  auto link = network.parsed.link;
  link.mode = TRY(check_parent(link));
  if (link.probe == ProbeProfile::off || probed_from_link(link.mode)) return false;
  TRY(ready_uplink(network));
  TRY(check_audible(link, link.mode));
  const bool answered = TRY(claims_->hold(network, link.mode, address)).has_value();
  if (!answered) call_housekeeper();
  return answered;
}

void Networks::give_back(const std::string& network, const IpAddress& address) {
  if (const auto record = find_network(network)) claims_->give_back(uplink(record->parsed.link), address);
}

}  // namespace plumb::driver
