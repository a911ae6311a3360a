// AddressClaim: whether a frame says that its sender has an address, or asks for one, and the packet filter for such
// frames. Pure.
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

#include "netns/wire/frame.h"
#include "specs/value/ip.h"

namespace plumb::netns {

// The question whether somebody has the address (RFC 5227 section 2.1.1; RFC 4862 section 5.4.2), from `sender`.
[[nodiscard]] Frame encode_probe(const Mac& sender, const IpAddress& address);

struct AddressClaim {
  enum class By {
    use,    // it has the address
    probe,  // it asks for the address
  };
  By by = By::use;
  IpAddress address;
  Mac mac;  // an ARP packet's sender; the link-layer address that an advertisement names, else its frame's sender
};

// What an untagged frame claims; nullopt: nothing, or it is no valid packet of ARP or neighbour discovery. The
// receiver's own MAC is a claim, too: who asks knows its own.
[[nodiscard]] std::optional<AddressClaim> claim_in(std::span<const std::uint8_t> frame);

// Lets through all frames that may be such a claim, and few others.
[[nodiscard]] std::vector<sock_filter> claim_filter(const IpAddress& address);

// The EtherType (linux/if_ether.h) of the frames that may claim the address.
[[nodiscard]] std::uint16_t claim_ethertype(const IpAddress& address);

}  // namespace plumb::netns
