// Subnet arithmetic: what the pools count with.
//
// Threads: pure functions. Privilege: none.
#pragma once

#include <cstdint>
#include <string_view>

#include "specs/value/ip.h"
#include "specs/value/result.h"

namespace plumb::driver {

// The subnet's own address: all host bits 0.
[[nodiscard]] IpAddress first_address(const Cidr& subnet);
// The address with all host bits 1.
[[nodiscard]] IpAddress last_address(const Cidr& subnet);
// The next address of the subnet; after the last one, or for an address outside of it, the first one.
[[nodiscard]] IpAddress address_after(const Cidr& subnet, const IpAddress& address);
// The address as far into the subnet as `place` is into all numbers of 64 bits; of a subnet with more than 2^32
// addresses, into its first 2^32, so that an IPv6 address stays short.
[[nodiscard]] IpAddress address_at(const Cidr& subnet, std::uint64_t place);
// Whether they have an address in common.
[[nodiscard]] bool overlap(const Cidr& a, const Cidr& b);
// Whether every address of `inner` is one of `outer`.
[[nodiscard]] bool encloses(const Cidr& outer, const Cidr& inner);

// "10.0.3.0/24": a subnet, as `what` ("--subnet") is to be. Errors: spec, for host bits that are set.
[[nodiscard]] Result<Cidr> parse_subnet(std::string_view text, std::string_view what);

}  // namespace plumb::driver
