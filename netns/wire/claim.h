// Claim: whether a frame says that its sender has an address, and the packet filter for such frames. Pure.
//
// Who uses an address says so with ARP packets that have it as their sender (RFC 5227 section 2.4), or with neighbour
// advertisements of it (RFC 4862 section 5.4.4). Who is about to use it sends probes, which count against another one
// that is about to use it (RFC 5227 section 2.1.1; RFC 4862 section 5.4.3), but claim nothing from who has it: that one
// answers them.
//
// For this layer and its tests. Threads: plain values. Privilege: none.
#pragma once

#include <linux/filter.h>

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "specs/value/ip.h"

namespace plumb::netns {

enum class ClaimBy {
  use,           // of the address
  use_or_probe,  // of the address, or a probe for it
};

// The MAC by which the frame claims the address: an ARP packet's sender; the link-layer address that an advertisement
// names, else its frame's sender. Nullopt: it claims nothing, or is no valid packet of the address' family. The
// receiver's own MAC is a claim, too: who asks knows its own.
[[nodiscard]] std::optional<Mac> claim_in(std::span<const std::uint8_t> frame, const IpAddress& address, ClaimBy by);

// Lets through all frames that may be such a claim, and few others.
[[nodiscard]] std::vector<sock_filter> claim_filter(const IpAddress& address, ClaimBy by);

// The EtherType (linux/if_ether.h) of the frames that may claim the address.
[[nodiscard]] std::uint16_t claim_ethertype(const IpAddress& address);

}  // namespace plumb::netns
