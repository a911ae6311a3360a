// What the driver remembers of networks, endpoints, address pools and leases, since the engine tells it only once.
//
// Each record is one small file with a version, JSON but for leases (plugin/driver/record/store.h). Threads: plain
// values, pure functions. Privilege: none.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plugin/driver/record/network_options.h"
#include "specs/claim/machine.h"
#include "specs/value/dedicated_mark.h"
#include "specs/value/ip.h"
#include "specs/value/result.h"

namespace plumb::driver {

// One subnet of a network, as the engine names it in CreateNetwork (IPv4Data, IPv6Data).
struct Subnet {
  Cidr pool;
  std::optional<IpAddress> gateway;    // none: the network has no way out of its own
  std::vector<IpAddress> auxiliaries;  // --aux-address: never given to an endpoint by the driver itself
};

struct NetworkRecord {
  std::string id;
  std::map<std::string, std::string> options;  // -o, as given
  NetworkOptions parsed;                       // what they mean; not in the file
  bool internal = false;                       // --internal: no default route
  std::vector<Subnet> subnets;
};

struct EndpointRecord {
  std::string id;
  std::string network;
  IpMode mode = IpMode::macvlan;  // never automatic: what the link was made as
  std::string uplink;             // the node's device that the link is on
  std::vector<Cidr> addresses;
  std::optional<Mac> mac;            // none for links with their parent's
  bool mac_chosen = false;           // by the driver, at random
  std::string device;                // the link's name in the node's namespace
  std::string outer;                 // the node's end of a veth pair; empty for other modes
  std::string sandbox;               // SandboxKey of Join; empty before
  std::string boot_id;               // of the boot it was made in: no link survives that
  std::optional<DedicatedMark> was;  // of a device of the node that is given to the container
  // Of its addresses that have been owned for a while: by them they outrank who claims later.
  std::map<IpAddress, claim::Kept> claims = {};
};

struct PoolRecord {
  std::string id;
  std::uint64_t number = 0;  // of its request: the order of the pools
  Cidr pool;
  std::optional<Cidr> range;           // --ip-range: where the driver itself chooses from
  std::optional<IpAddress> gateway;    // asked for as such: never chosen for an endpoint
  std::vector<IpAddress> auxiliaries;  // of that network's subnet
  std::string network;                 // that the pool turned out to be for; empty before CreateNetwork
};

// An address that the engine has been given. No JSON: one is written at each request.
struct LeaseRecord {
  std::string boot;            // in which it was given
  std::chrono::seconds since;  // of that boot
  bool chosen = false;         // the address was the driver's choice
};

[[nodiscard]] std::string encode(const NetworkRecord& record);
[[nodiscard]] std::string encode(const EndpointRecord& record);
[[nodiscard]] std::string encode(const PoolRecord& record);
[[nodiscard]] std::string encode(const LeaseRecord& record);

// Any text may be given. What is decoded has ids that can be part of a path, subnets without host bits and a range that
// is part of its pool. Errors: failed, with what is wrong with the text; unsupported for a version that is newer than
// this program.
[[nodiscard]] Result<NetworkRecord> decode_network(const std::string& text);
[[nodiscard]] Result<EndpointRecord> decode_endpoint(const std::string& text);
[[nodiscard]] Result<PoolRecord> decode_pool(const std::string& text);
// One without a version is of before 0.2.0.
[[nodiscard]] Result<LeaseRecord> decode_lease(std::string_view text);

}  // namespace plumb::driver
