#include "plugin/driver/pools.h"

#include <sys/random.h>

#include <array>
#include <cerrno>
#include <ctime>
#include <mutex>
#include <set>
#include <string_view>
#include <utility>

#include "plugin/driver/pool_book.h"
#include "plugin/driver/record/read_records.h"
#include "plugin/driver/record/subnet.h"
#include "plugin/node/boot.h"

namespace plumb::driver {

namespace {

using std::chrono::seconds;

// 64 hexadecimal digits, as the ids of the engine: never used twice, whatever is released and restarted in between.
Result<std::string> new_id() {
  std::array<std::uint8_t, 32> bytes{};
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
    return Err{errno_error(errno, "getrandom")};
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (const auto byte : bytes) {
    out += kDigits[byte >> 4U];
    out += kDigits[byte & 15U];
  }
  return out;
}

seconds kernel_uptime() {
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  return seconds(now.tv_sec);
}

// Both are there where more than two addresses are (RFC 3021); IPv6 knows no broadcast.
bool is_nobodys(const Cidr& subnet, const IpAddress& address) {
  const auto broadcast = subnet.broadcast();
  return broadcast && (address == *broadcast || address == first_address(subnet));
}

Err no_pool(const std::string& pool) {
  return Err{ErrorKind::not_found, "there is no address pool " + pool.substr(0, 80)};
}

}  // namespace

struct Pools::State {
  State(Store& its_store, Neighbourhood its_neighbourhood, std::string its_boot)
      : store(its_store), neighbourhood(std::move(its_neighbourhood)), boot(std::move(its_boot)) {}

  Store& store;
  Neighbourhood neighbourhood;
  std::string boot;
  std::mutex mutex;
  PoolBook book;  // by the mutex, as is what the store has of pools

  [[nodiscard]] seconds now() const { return neighbourhood.uptime ? neighbourhood.uptime() : kernel_uptime(); }

  // Without the mutex: the rest of the driver may hold a lock of its own while it calls here.
  [[nodiscard]] std::string endpoint_with(const std::string& network, const IpAddress& address) const {
    return network.empty() || !neighbourhood.endpoint_with ? std::string()
                                                           : neighbourhood.endpoint_with(network, address);
  }
  [[nodiscard]] Result<bool> answers(const std::string& network, const IpAddress& address) const {
    return network.empty() || !neighbourhood.answers ? Result<bool>(false) : neighbourhood.answers(network, address);
  }

  [[nodiscard]] Result<PoolRecord> find(const std::string& pool) {
    const std::lock_guard lock(mutex);
    const auto* record = book.find(pool);
    if (record == nullptr) return no_pool(pool);
    return *record;
  }

  [[nodiscard]] IpAddress first_choice(const PoolRecord& record) const {
    const bool placed = neighbourhood.place && !record.network.empty();
    return address_at(record.range ? *record.range : record.pool, placed ? neighbourhood.place(record.network) : 0);
  }

  void give_back(const std::string& network, const IpAddress& address) const {
    if (!network.empty() && neighbourhood.given_back) neighbourhood.given_back(network, address);
  }

  // The following with the mutex.
  [[nodiscard]] Result<void> keep(const PoolRecord& record) {
    TRY(store.put(RecordKind::pool, record.id, encode(record)));
    book.put(record);
    return {};
  }
  [[nodiscard]] Result<void> lease(const std::string& pool, const IpAddress& address, bool chosen) {
    const auto since = now();
    TRY(store.put_lease(pool, address.to_string(), encode(LeaseRecord{boot, since, chosen})));
    book.lease(pool, address, since, chosen);
    return {};
  }
  [[nodiscard]] Result<void> release(const std::string& pool, const IpAddress& address, std::optional<seconds> when) {
    if (!book.leased_since(pool, address)) return {};
    TRY(store.remove_lease(pool, address.to_string()));
    book.release(pool, address, when);
    return {};
  }

  [[nodiscard]] Result<void> load();
  [[nodiscard]] Result<void> load_leases(const PoolRecord& record);
  [[nodiscard]] Result<void> give(const PoolRecord& record, const IpAddress& wanted);
  [[nodiscard]] Result<IpAddress> choose(const PoolRecord& record);
  [[nodiscard]] Result<std::optional<IpAddress>> offer(const PoolRecord& record, const IpAddress& first,
                                                       const std::set<IpAddress>& passed);
  [[nodiscard]] Result<bool> take(const PoolRecord& record, const IpAddress& address, bool free);
  [[nodiscard]] Result<void> take_back(const PoolRecord& record);
};

Pools::Pools(std::unique_ptr<State> state) : state_(std::move(state)) {}
Pools::Pools(Pools&&) noexcept = default;
Pools::~Pools() = default;

Result<void> Pools::State::load() {
  for (const auto& [id, record] : TRY(read_records(store, RecordKind::pool, "pool", decode_pool))) {
    book.put(record);
    TRY(load_leases(record));
  }
  return {};
}

Result<void> Pools::State::load_leases(const PoolRecord& record) {
  std::optional<std::pair<seconds, IpAddress>> youngest;
  for (const auto& [name, text] : TRY(store.load_leases(record.id))) {
    const auto address = IpAddress::parse(name);
    const auto lease = decode_lease(text);
    if (!lease && lease.error().kind == ErrorKind::unsupported)
      return Err{refuse_newer("lease", name + " of pool " + record.id, lease.error())};
    // No endpoint has survived another boot.
    if (!address || !lease || lease->boot != boot || !record.pool.contains(*address)) {
      TRY(store.remove_lease(record.id, name));
      continue;
    }
    book.lease(record.id, *address, lease->since, lease->chosen);
    const std::pair age(lease->since, *address);
    if (!youngest || *youngest < age) youngest = age;
  }
  if (youngest) book.continue_after(record.id, youngest->second);
  return {};
}

Result<Pools> Pools::open(Store& store, Neighbourhood neighbourhood) {
  auto boot = TRY(boot_id());
  auto state = std::make_unique<State>(store, std::move(neighbourhood), std::move(boot));
  TRY(state->load());
  return Pools(std::move(state));
}

Result<PoolRecord> Pools::request_pool(const std::string& pool, const std::string& range, bool v6) {
  if (pool.empty())
    return Err{ErrorKind::spec, std::string("plumb chooses no subnet: it is that of the LAN; give it with --subnet ") +
                                    (v6 ? "2001:db8:3::/64" : "10.0.3.0/24")};
  const auto subnet = TRY(parse_subnet(pool, "--subnet"));
  const auto id = TRY(new_id());
  PoolRecord record{id, 0, subnet, {}, {}, {}, {}};
  if (record.pool.address().is_v6() != v6)
    return Err{ErrorKind::spec,
               "--subnet: " + record.pool.to_string() + " is not of IPv" + (v6 ? "6" : "4") + ", which was asked for"};
  if (!range.empty()) record.range = TRY(parse_subnet(range, "--ip-range"));
  if (record.range && !encloses(record.pool, *record.range))
    return Err{ErrorKind::spec,
               "--ip-range: " + record.range->to_string() + " is not part of --subnet " + record.pool.to_string()};
  if (record.range && first_address(*record.range) == last_address(*record.range) &&
      is_nobodys(record.pool, first_address(*record.range)))
    return Err{ErrorKind::spec, "--ip-range: " + record.range->to_string() +
                                    " is the subnet's own or its broadcast address, and no machine's"};
  const std::lock_guard lock(state_->mutex);
  record.number = state_->book.next_number();
  TRY(state_->keep(record));
  return record;
}

Result<void> Pools::release_pool(const std::string& id) {
  std::string network;
  {
    const std::lock_guard lock(state_->mutex);
    const auto* record = state_->book.find(id);
    if (record == nullptr) return {};
    network = record->network;
    // Leases first: of a pool that is gone nobody would remove them any more.
    TRY(state_->store.remove_leases(id));
    TRY(state_->store.remove(RecordKind::pool, id));
    state_->book.erase(id);
  }
  if (!network.empty() && state_->neighbourhood.released) state_->neighbourhood.released(network);
  return {};
}

Result<Cidr> Pools::request_address(const std::string& pool, const std::optional<IpAddress>& wanted, bool as_gateway) {
  const PoolRecord record = TRY(state_->find(pool));
  const unsigned prefix = record.pool.prefix();
  if (wanted && !record.pool.contains(*wanted))
    return Err{ErrorKind::spec, wanted->to_string() + " is not an address of the subnet " + record.pool.to_string()};
  if (as_gateway && !wanted) return Cidr::make(first_address(record.pool), prefix);
  if (as_gateway && *wanted == first_address(record.pool) && !is_nobodys(record.pool, *wanted))
    return Err{
        ErrorKind::spec,
        "--gateway " + wanted->to_string() +
            ": to Docker the first address of a subnet stands for none; give it by -o gateway=" + wanted->to_string()};
  if (as_gateway && is_nobodys(record.pool, *wanted))
    return Err{ErrorKind::spec,
               "--gateway " + wanted->to_string() + " is the subnet's own or its broadcast address, and no machine's"};
  if (as_gateway) {
    // A machine of the LAN: no lease of ours, and nothing to probe.
    const std::lock_guard lock(state_->mutex);
    const auto* now = state_->book.find(pool);
    if (now == nullptr) return no_pool(pool);
    PoolRecord changed = *now;
    changed.gateway = *wanted;
    TRY(state_->keep(changed));
    return Cidr::make(*wanted, prefix);
  }
  if (!wanted) return Cidr::make(TRY(state_->choose(record)), prefix);
  if (is_nobodys(record.pool, *wanted))
    return Err{ErrorKind::spec,
               wanted->to_string() + " is the subnet's own or its broadcast address, and no machine's"};
  TRY(state_->give(record, *wanted));
  return Cidr::make(*wanted, prefix);
}

Result<void> Pools::State::give(const PoolRecord& record, const IpAddress& wanted) {
  if (const auto holder = endpoint_with(record.network, wanted); !holder.empty())
    return Err{ErrorKind::conflict,
               wanted.to_string() + " is in use by endpoint " + holder.substr(0, 12) +
                   " of this node; stop its container (docker network inspect names it), or ask for "
                   "another address"};
  const std::lock_guard lock(mutex);
  if (book.find(record.id) == nullptr) return no_pool(record.id);
  return lease(record.id, wanted, false);
}

Result<std::optional<IpAddress>> Pools::State::offer(const PoolRecord& record, const IpAddress& first,
                                                     const std::set<IpAddress>& passed) {
  const std::lock_guard lock(mutex);
  if (book.find(record.id) == nullptr) return no_pool(record.id);
  return book.offer(record.id, first, passed);
}

// Ends an offer. False when the address is not free after all: somebody may have asked for it by name meanwhile.
Result<bool> Pools::State::take(const PoolRecord& record, const IpAddress& address, bool free) {
  const std::lock_guard lock(mutex);
  book.settle(address);
  if (book.find(record.id) == nullptr) return no_pool(record.id);
  if (!free || book.is_leased(address)) return false;
  TRY(lease(record.id, address, true));
  return true;
}

Result<IpAddress> Pools::State::choose(const PoolRecord& record) {
  const std::string choice = (record.range ? *record.range : record.pool).to_string();
  const IpAddress first = first_choice(record);
  std::set<IpAddress> passed;
  std::string last;
  bool taken_back = false;
  for (unsigned probes = 0; probes < kMostProbes;) {
    const auto address = TRY(offer(record, first, passed));
    if (!address && std::exchange(taken_back, true))
      return Err{ErrorKind::exists,
                 "no address of " + choice + " is free" + last +
                     "; remove containers, or make the network with a larger --ip-range or --subnet"};
    if (!address) {
      TRY(take_back(record));
      continue;
    }
    bool free = endpoint_with(record.network, *address).empty();
    if (free) {
      const auto answered = answers(record.network, *address);
      ++probes;
      free = answered && !*answered;
      if (!answered) last = ": " + address->to_string() + " could not be probed: " + answered.error().what;
      if (answered && *answered) last = ": another machine answers for " + address->to_string();
    }
    if (TRY(take(record, *address, free))) return *address;
    give_back(record.network, *address);
    passed.insert(*address);
  }
  return Err{ErrorKind::exists, "none of " + std::to_string(kMostProbes) + " addresses of " + choice +
                                    " is known to be free" + last +
                                    "; make the network with an --ip-range that no other machine uses"};
}

// Of engines that were killed between RequestAddress and CreateEndpoint, or before ReleaseAddress.
Result<void> Pools::State::take_back(const PoolRecord& record) {
  std::vector<PoolBook::Lease> old;
  {
    const std::lock_guard lock(mutex);
    if (book.find(record.id) == nullptr) return no_pool(record.id);
    old = book.old_leases(record.id, now() - kLeaseGrace);
  }
  for (const auto& lease : old) {
    if (!endpoint_with(lease.network, lease.address).empty()) continue;
    const std::lock_guard lock(mutex);
    // It may have been renewed meanwhile.
    if (book.leased_since(lease.pool, lease.address) == lease.since) TRY(release(lease.pool, lease.address, {}));
  }
  return {};
}

Result<void> Pools::release_address(const std::string& pool, const IpAddress& address) {
  const auto record = state_->find(pool);
  if (!record || !state_->endpoint_with(record->network, address).empty()) return {};
  state_->give_back(record->network, address);
  const std::lock_guard lock(state_->mutex);
  return state_->release(pool, address, state_->now());
}

Result<void> Pools::bind(const NetworkRecord& network) {
  const std::lock_guard lock(state_->mutex);
  const auto pools = state_->book.newest_first();
  for (const auto& subnet : network.subnets) {
    const PoolRecord* chosen = nullptr;
    for (const auto& record : pools) {
      if (record.pool != subnet.pool) continue;
      if (record.network == network.id) {
        chosen = nullptr;  // a repeat
        break;
      }
      // The subnet's own address stands for no gateway (request_address).
      const bool same_gateway = !record.gateway || record.gateway == subnet.gateway ||
                                (!subnet.gateway && record.gateway == first_address(record.pool));
      if (chosen == nullptr && record.network.empty() && same_gateway) chosen = &record;
    }
    if (chosen == nullptr) continue;
    PoolRecord bound = *chosen;
    bound.network = network.id;
    bound.auxiliaries = subnet.auxiliaries;
    if (!bound.gateway) bound.gateway = subnet.gateway;
    TRY(state_->keep(bound));
  }
  return {};
}

}  // namespace plumb::driver
