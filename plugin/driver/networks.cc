#include "plugin/driver/networks.h"

#include <algorithm>
#include <cstdio>

#include "netns/address/address.h"
#include "plugin/driver/endpoint_link.h"
#include "plugin/driver/id_lock.h"
#include "plugin/driver/log.h"
#include "plugin/driver/network_check.h"
#include "plugin/driver/node_place.h"
#include "plugin/driver/parent.h"
#include "plugin/driver/record/read_records.h"
#include "plugin/node/boot.h"
#include "plugin/node/device.h"
#include "plugin/node/node_scan.h"
#include "plugin/node/service_lock.h"
#include "plugin/node/vlan_use.h"
#include "specs/service/uplink.h"

namespace plumb::driver {

namespace {

// Those that may not share a device with others: whose links they are is the device's own business (macvlan, ipvlan),
// or it is not there any more (dedicated).
bool excludes(IpMode one, IpMode other) {
  if (one == IpMode::dedicated || other == IpMode::dedicated) return true;
  if (is_ipvlan(one) != is_ipvlan(other)) return one == IpMode::macvlan || other == IpMode::macvlan;
  return is_ipvlan(one) && one != other;
}

// Of two networks made of the same words.
bool same_network(const NetworkRecord& a, const NetworkRecord& b) {
  const auto same_subnet = [](const Subnet& x, const Subnet& y) {
    return x.pool == y.pool && x.gateway == y.gateway && x.auxiliaries == y.auxiliaries;
  };
  return a.options == b.options && a.internal == b.internal &&
         std::equal(a.subnets.begin(), a.subnets.end(), b.subnets.begin(), b.subnets.end(), same_subnet);
}

}  // namespace

Networks::Networks(Store& store, Metrics& metrics, std::string boot)
    : store_(store), metrics_(metrics), boot_(std::move(boot)) {}

Networks::~Networks() = default;

Result<std::unique_ptr<Networks>> Networks::open(Store& store, Metrics& metrics) {
  auto boot = TRY(boot_id());
  std::unique_ptr<Networks> networks(new Networks(store, metrics, std::move(boot)));  // NOLINT: private
  auto* own = networks.get();
  networks->claims_ =
      TRY(EndpointClaims::open(metrics, {[own](const std::string& id) { own->lost_early(id); },
                                         [own](const std::string& id, const IpAddress& address,
                                               const claim::Kept& kept) { own->keep_later(id, address, kept); }}));
  networks->arrivals_.emplace(TRY(Arrivals::start(
      metrics,
      {[own](const std::string& id, const netns::Link& link) { own->claims_->arrived(id, link); },
       [own](const std::string& device, bool up, bool flapped) { own->claims_->carrier(device, up, flapped); }})));
  TRY(networks->load());
  networks->housekeeper_ = std::jthread([own](const std::stop_token& stop) { own->run_housekeeper(stop); });
  return networks;
}

// What is read is known, and what is known is not looked at yet.
Result<void> Networks::load() {
  networks_ = TRY(read_records(store_, RecordKind::network, "network", decode_network));
  endpoints_ = TRY(read_records(store_, RecordKind::endpoint, "endpoint", decode_endpoint));
  for (const auto& [id, record] : endpoints_) {
    const auto network = networks_.find(record.network);
    if (network == networks_.end() || network->second.parsed.link.host_access) host_sides_.try_emplace(id);
    remember_mac(record);
    left_over_.insert(id);
    unseen_.insert(id);
    claims_->know(network_of(record), record);
  }
  for (const auto& id : TRY(endpoints_on_node()))
    if (!endpoints_.contains(id))
      if (auto removed = remove_unknown_link(id); !removed) say_of_endpoint(id, removed.error().what);
  count();
  return {};
}

void Networks::count() {
  metrics_.set_networks(networks_.size());
  metrics_.set_endpoints(endpoints_.size());
}

std::size_t Networks::network_count() {
  const std::lock_guard lock(mutex_);
  return networks_.size();
}

std::size_t Networks::endpoint_count() {
  const std::lock_guard lock(mutex_);
  return endpoints_.size();
}

Result<NetworkRecord> Networks::find_network(const std::string& id) {
  const std::lock_guard lock(mutex_);
  const auto found = networks_.find(id);
  if (found != networks_.end()) return found->second;
  return Err{ErrorKind::not_found, "network " + id.substr(0, 12) + ": this driver does not know it",
             "remove it and create it again"};
}

// Endpoints count, not networks: one that nobody uses, or that its engine has forgotten, keeps nobody from anything.
Result<void> Networks::check_neighbours(const std::string& device, IpMode mode) {
  std::vector<EndpointRecord> others;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [id, other] : endpoints_)
      if (other.uplink == device && excludes(mode, other.mode)) others.push_back(other);
  }
  for (const auto& other : others) {
    if (is_abandoned(other)) continue;
    const bool given = mode == IpMode::dedicated || other.mode == IpMode::dedicated;
    return Err{ErrorKind::refused,
               "option -o mode=" + std::string(mode_name(mode)) + ": network " + other.network.substr(0, 12) +
                   " has a container on " + device + " in mode " + std::string(mode_name(other.mode)) +
                   (given ? ", and such a device is not shared" : ", and a device is one or the other"),
               "give both networks the same mode, or another parent"};
  }
  return is_ipvlan(mode) ? check_other_ipvlans(device, mode) : Result<void>{};
}

// One in another mode would change that of all on the device, whose they may be: a service's, or another driver's.
Result<void> Networks::check_other_ipvlans(const std::string& device, IpMode mode) {
  auto node = TRY(open_node());
  const auto parent = TRY(device_named(node, device));
  if (!parent) return {};
  for (const auto& upper : uppers_elsewhere())
    if (upper.link.parent_index == parent->index && upper.link.kind == "ipvlan" &&
        "ipvlan-" + upper.link.ipvlan_mode != mode_name(mode))
      return Err{ErrorKind::refused,
                 "option -o mode=" + std::string(mode_name(mode)) + ": device " + device +
                     " has ipvlans in mode ipvlan-" + upper.link.ipvlan_mode + " of " + whose(upper) +
                     ", and all on one device have one mode",
                 "give the network the same mode, or another parent"};
  return {};
}

Result<NetworkRecord> Networks::create_network(const std::string& id, const std::map<std::string, std::string>& options,
                                               bool internal, const std::vector<Subnet>& subnets) {
  const auto parsed = TRY(parse_options(options));
  const NetworkRecord record{id, options, parsed, internal, subnets};
  const IdLock id_lock(*this, id);
  if (const auto known = find_network(id)) {
    if (same_network(*known, record)) return record;
    return Err{ErrorKind::exists, "create network " + id.substr(0, 12) + ": it exists, made of other options"};
  }
  const auto& link = record.parsed.link;
  // Before it is looked for: a device that is in a container is not here.
  if (link.mode == IpMode::dedicated) TRY(check_neighbours(link.ipdev, link.mode));
  const auto mode = TRY(check_parent(link));
  TRY(check_neighbours(uplink(link), mode));
  TRY(check_network(record, mode));
  TRY(store_.put(RecordKind::network, id, encode(record)));
  const std::lock_guard lock(mutex_);
  networks_.emplace(id, record);
  count();
  return record;
}

void Networks::network_call_was_cut() {
  const std::lock_guard lock(mutex_);
  network_cut_until_ = Clock::now() + kReleaseAfterCut;
}

void Networks::pool_released(const std::string& network) {
  {
    const std::lock_guard lock(mutex_);
    if (Clock::now() > network_cut_until_ || !networks_.contains(network)) return;
  }
  see_network(network);  // what is gone keeps it no longer
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [id, endpoint] : endpoints_)
      if (endpoint.network == network) return;
  }
  say_of_network(network, "the engine has none of that id any more; removed");
  if (auto removed = delete_network(network); !removed) say_of_network(network, removed.error().what);
}

Result<void> Networks::delete_network(const std::string& id) {
  const IdLock id_lock(*this, id);
  std::vector<std::string> left;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [endpoint, record] : endpoints_)
      if (record.network == id) left.push_back(endpoint);
  }
  for (const auto& endpoint : left) TRY(delete_endpoint(endpoint));
  if (const auto record = find_network(id)) {
    if (const auto vlan = vlan_device(record->parsed.link)) {
      auto node = TRY(open_node());
      const auto shared = TRY(lock_node_links());
      TRY(leave_vlan(node, vlan->name, network_vlan_user(id)));
    }
  }
  TRY(store_.remove(RecordKind::network, id));
  const std::lock_guard lock(mutex_);
  networks_.erase(id);
  std::erase_if(macs_, [&](const auto& one) { return one.first.first == id; });
  count();
  return {};
}

// The parent's MAC: a VLAN device that is not there yet will have the same.
std::uint64_t Networks::place(const std::string& id) {
  const auto network = find_network(id);
  auto node = open_node();
  if (!network || !node) return node_place({});
  const auto vlan = vlan_device(network->parsed.link);
  const auto parent = device_named(*node, vlan ? vlan->lower : network->parsed.link.ipdev);
  return node_place(parent && *parent ? (*parent)->mac : std::nullopt);
}

}  // namespace plumb::driver
