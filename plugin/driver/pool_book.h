// PoolBook: the pools in memory: which address is leased in which of them, and which is the next that is free.
//
// It knows no file, no clock and no network (plugin/driver/pools.h does). Threads: one at a time. Privilege: none.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "plugin/driver/record/record.h"
#include "specs/value/ip.h"

namespace plumb::driver {

class PoolBook {
 public:
  // Adds a pool, or replaces its record; its leases are kept.
  void put(const PoolRecord& record);
  void erase(const std::string& pool);
  // Nullptr when there is no such pool. Holds until put() or erase() of it.
  [[nodiscard]] const PoolRecord* find(const std::string& pool) const;
  [[nodiscard]] std::vector<PoolRecord> newest_first() const;
  // Above that of every pool there is.
  [[nodiscard]] std::uint64_t next_number() const;

  // `since`: the time after the boot. `chosen`: by offer(), and not by name. Renews a lease that is there.
  // Precondition: the pool is there.
  void lease(const std::string& pool, const IpAddress& address, std::chrono::seconds since, bool chosen);
  // `now`, of one that its container may want again: one that was chosen is offered first, see there.
  void release(const std::string& pool, const IpAddress& address, std::optional<std::chrono::seconds> now);
  [[nodiscard]] std::optional<std::chrono::seconds> leased_since(const std::string& pool,
                                                                 const IpAddress& address) const;
  // In any pool.
  [[nodiscard]] bool is_leased(const IpAddress& address) const { return holders_.contains(address); }

  // An address that is free and not among `passed`. First those that were chosen before and given back: a container
  // that is restarted gives its own back and asks right after, and nothing else says who it is. Of several that were
  // given back at once, with a second between two at most, the first; of others the last. Else the next after the one
  // chosen last; where none was chosen yet, from `first` on. Nobody else is offered it until settle(). Precondition:
  // the pool is there.
  [[nodiscard]] std::optional<IpAddress> offer(const std::string& pool, const IpAddress& first,
                                               const std::set<IpAddress>& passed);
  void settle(const IpAddress& address) { offered_.erase(address); }
  // The next offer comes after this address.
  void continue_after(const std::string& pool, const IpAddress& address);

  struct Lease {
    std::string pool;
    std::string network;
    IpAddress address;
    std::chrono::seconds since;
  };
  // Those made before that time, in pools of networks, of addresses that this pool could offer otherwise.
  [[nodiscard]] std::vector<Lease> old_leases(const std::string& pool, std::chrono::seconds before) const;

 private:
  struct Held {
    std::chrono::seconds since;
    bool chosen;
  };
  struct Returned {
    IpAddress address;
    std::chrono::seconds when;
  };
  struct Entry {
    PoolRecord record;
    std::map<IpAddress, Held> leases;
    std::vector<Returned> returned;  // that were chosen, in the order of their returns
    std::optional<IpAddress> last;   // that was offered
  };
  [[nodiscard]] bool is_free(const IpAddress& address, const std::set<IpAddress>& passed) const;
  [[nodiscard]] std::optional<IpAddress> take_returned(Entry& entry, const std::set<IpAddress>& passed);
  void find_reserved();

  std::map<std::string, Entry> pools_;
  std::map<IpAddress, unsigned> holders_;  // how many pools have leased an address
  std::set<IpAddress> offered_;
  std::set<IpAddress> reserved_;  // no endpoint's, in whichever pool
};

}  // namespace plumb::driver
