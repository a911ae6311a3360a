// Pools: the driver's address management (IPAM): who may have which address of a network.
//
// Pools may overlap: several networks on one LAN, on one parent or on several, share a subnet. An address that is asked
// for by name is always given, unless an endpoint of ours on the same uplink has it; one that the driver chooses is
// in the range, no network's gateway or auxiliary address, leased to nobody in a pool with the same subnet, and not
// answered for on the LAN. The choice begins at a place of the node's own, goes on after the last one, and around; a
// container that is restarted has its own again, as a rule (PoolBook::offer()).
//
// Threads: safe from any; a probe holds no lock. Privilege: write access to the store.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "plugin/driver/record/record.h"
#include "plugin/driver/record/store.h"
#include "specs/value/ip.h"
#include "specs/value/result.h"

namespace plumb::driver {

// What the pools ask the rest of the driver. Questions about a network are asked with no lock held, and only for pools
// that are bound to one: others have no uplink.
struct Neighbourhood {
  // The endpoint that has the address on the uplink of that network; empty: none.
  std::function<std::string(const std::string& network, const IpAddress& address)> endpoint_with;
  // Whether somebody on the LAN answers for the address, seen from that network's uplink. An error counts as an answer:
  // the address is not known to be free.
  std::function<Result<bool>(const std::string& network, const IpAddress& address)> answers;
  // This node's place among others on the uplink of that network (plugin/driver/node_place.h): where the first choice
  // of a pool begins. Empty, and for a pool without a network: at its first address.
  std::function<std::uint64_t(const std::string& network)> place = {};
  // The time since the boot, asked for with the lock held; empty: the kernel's (CLOCK_BOOTTIME).
  std::function<std::chrono::seconds()> uptime = {};
  // A pool of that network has been released.
  std::function<void(const std::string& network)> released = {};
  // It was found free, and is needed no more: what was told others of it is taken back.
  std::function<void(const std::string& network, const IpAddress& address)> given_back = {};
};

class Pools {
 public:
  // Reads the store (plugin/driver/record/read_records.h), which must outlive the pools.
  [[nodiscard]] static Result<Pools> open(Store& store, Neighbourhood neighbourhood);
  Pools(Pools&&) noexcept;
  Pools& operator=(Pools&&) = delete;
  ~Pools();

  // `pool` empty: an error that says to give --subnet. Errors: spec (not a subnet, host bits set, range outside of it).
  [[nodiscard]] Result<PoolRecord> request_pool(const std::string& pool, const std::string& range, bool v6);
  // One that is not there is a success: the engine asks twice.
  [[nodiscard]] Result<void> release_pool(const std::string& id);

  // `wanted` nullopt: the driver chooses. `as_gateway`: the address is the network's way out, a machine of the LAN;
  // none wanted means that the network has none, which is answered with the subnet's own address (all host bits 0).
  // Errors: not_found (no such pool), spec (outside of the pool), conflict (an endpoint has it), exists (none is free).
  [[nodiscard]] Result<Cidr> request_address(const std::string& pool, const std::optional<IpAddress>& wanted,
                                             bool as_gateway);
  // One that is not leased is a success. The lease of an address that an endpoint has is kept: it is the endpoint's,
  // and the caller one that was refused.
  [[nodiscard]] Result<void> release_address(const std::string& pool, const IpAddress& address);

  // A network has been made of these subnets: its pools are those that are bound to no network yet, newest first: an
  // older one may be left of an engine that was killed. A subnet without such a pool is another address manager's. A
  // repeat changes nothing.
  [[nodiscard]] Result<void> bind(const NetworkRecord& network);

 private:
  // Leases that no endpoint stands for are taken back after this, where an address is needed: their engine was killed.
  static constexpr std::chrono::seconds kLeaseGrace{60};
  // So that a call is bounded on a LAN where everybody answers.
  static constexpr unsigned kMostProbes = 16;

  struct State;
  explicit Pools(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace plumb::driver
