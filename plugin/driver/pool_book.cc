#include "plugin/driver/pool_book.h"

#include <algorithm>

#include "plugin/driver/record/subnet.h"

namespace plumb::driver {

namespace {

constexpr std::chrono::seconds kAtOnce{1};

const Cidr& choice_of(const PoolRecord& record) { return record.range ? *record.range : record.pool; }

}  // namespace

void PoolBook::put(const PoolRecord& record) {
  const auto found = pools_.find(record.id);
  if (found == pools_.end()) {
    pools_.emplace(record.id, Entry{record, {}, {}, {}});
  } else {
    found->second.record = record;
  }
  find_reserved();
}

void PoolBook::erase(const std::string& pool) {
  const auto found = pools_.find(pool);
  if (found == pools_.end()) return;
  while (!found->second.leases.empty()) release(pool, IpAddress(found->second.leases.begin()->first), {});
  pools_.erase(found);
  find_reserved();
}

const PoolRecord* PoolBook::find(const std::string& pool) const {
  const auto found = pools_.find(pool);
  return found == pools_.end() ? nullptr : &found->second.record;
}

std::vector<PoolRecord> PoolBook::newest_first() const {
  std::vector<PoolRecord> out;
  for (const auto& [id, entry] : pools_) out.push_back(entry.record);
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.number > b.number; });
  return out;
}

std::uint64_t PoolBook::next_number() const {
  std::uint64_t last = 0;
  for (const auto& [id, entry] : pools_) last = std::max(last, entry.record.number);
  return last + 1;
}

void PoolBook::lease(const std::string& pool, const IpAddress& address, std::chrono::seconds since, bool chosen) {
  auto& entry = pools_.at(pool);
  const bool fresh = entry.leases.insert_or_assign(address, Held{since, chosen}).second;
  if (fresh) ++holders_[address];
  std::erase_if(entry.returned, [&](const Returned& one) { return one.address == address; });
}

void PoolBook::release(const std::string& pool, const IpAddress& address, std::optional<std::chrono::seconds> now) {
  const auto found = pools_.find(pool);
  if (found == pools_.end()) return;
  const auto lease = found->second.leases.find(address);
  if (lease == found->second.leases.end()) return;
  if (now && lease->second.chosen) found->second.returned.push_back({address, *now});
  found->second.leases.erase(lease);
  const auto holders = holders_.find(address);
  if (--holders->second == 0) holders_.erase(holders);
}

std::optional<std::chrono::seconds> PoolBook::leased_since(const std::string& pool, const IpAddress& address) const {
  const auto found = pools_.find(pool);
  if (found == pools_.end()) return std::nullopt;
  const auto lease = found->second.leases.find(address);
  return lease == found->second.leases.end() ? std::nullopt : std::optional(lease->second.since);
}

bool PoolBook::is_free(const IpAddress& address, const std::set<IpAddress>& passed) const {
  return !holders_.contains(address) && !reserved_.contains(address) && !offered_.contains(address) &&
         !passed.contains(address);
}

std::optional<IpAddress> PoolBook::take_returned(Entry& entry, const std::set<IpAddress>& passed) {
  auto& all = entry.returned;
  std::erase_if(all, [&](const Returned& one) { return !is_free(one.address, passed); });
  if (all.empty()) return std::nullopt;
  auto first = all.end() - 1;
  while (first != all.begin() && first->when - (first - 1)->when <= kAtOnce) --first;
  const auto out = first->address;
  all.erase(first);
  return out;
}

std::optional<IpAddress> PoolBook::offer(const std::string& pool, const IpAddress& first,
                                         const std::set<IpAddress>& passed) {
  Entry& entry = pools_.at(pool);
  if (const auto returned = take_returned(entry, passed)) {
    offered_.insert(*returned);
    return returned;
  }
  const Cidr choice = choice_of(entry.record);
  const IpAddress begin = entry.last ? address_after(choice, *entry.last) : first;
  // Each step passes one address that is known to be taken, so this ends long before the end of a large subnet.
  IpAddress at = begin;
  do {
    if (is_free(at, passed)) {
      entry.last = at;
      offered_.insert(at);
      return at;
    }
    at = address_after(choice, at);
  } while (at != begin);
  return std::nullopt;
}

void PoolBook::continue_after(const std::string& pool, const IpAddress& address) { pools_.at(pool).last = address; }

std::vector<PoolBook::Lease> PoolBook::old_leases(const std::string& pool, std::chrono::seconds before) const {
  std::vector<Lease> out;
  const Cidr choice = choice_of(pools_.at(pool).record);
  for (const auto& [id, entry] : pools_) {
    if (entry.record.network.empty() || !overlap(entry.record.pool, choice)) continue;
    for (const auto& [address, held] : entry.leases)
      if (held.since < before && choice.contains(address))
        out.push_back({id, entry.record.network, address, held.since});
  }
  return out;
}

void PoolBook::find_reserved() {
  reserved_.clear();
  for (const auto& [id, entry] : pools_) {
    const auto& record = entry.record;
    if (record.gateway) reserved_.insert(*record.gateway);
    reserved_.insert(record.auxiliaries.begin(), record.auxiliaries.end());
    // RFC 3021: both addresses of a /31 are hosts'. RFC 6164: so are those of a /127. RFC 4291 section 2.6.1: the first
    // one of other IPv6 subnets is that of any router of them.
    if (record.pool.prefix() + 1 < record.pool.address().bits()) reserved_.insert(first_address(record.pool));
    if (const auto broadcast = record.pool.broadcast()) reserved_.insert(*broadcast);
  }
}

}  // namespace plumb::driver
