// NdpPacket: IPv6 neighbour solicitations and advertisements (RFC 4861 sections 4.3, 4.4), from a value to a frame and
// back. Pure.
//
// For this layer and its tests. Threads: plain values. Privilege: none.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "netns/wire/frame.h"
#include "specs/value/ip.h"

namespace plumb::netns {

// ICMPv6 types.
constexpr std::uint8_t kNdpSolicitation = 135;
constexpr std::uint8_t kNdpAdvertisement = 136;

struct NdpPacket {
  bool advertisement = false;     // else a solicitation
  IpAddress source;               // of the IPv6 header; :: for a probe (RFC 4862 section 5.4.2)
  IpAddress destination;          // of the IPv6 header
  IpAddress target;               // whose neighbour this is about
  std::optional<Mac> link_layer;  // source (solicitation) or target (advertisement) link-layer address option
  bool override_flag = false;     // advertisement: replace what is in the cache
  bool solicited = false;         // advertisement: it answers a solicitation
};

// The Ethernet frame from `sender` to `receiver`, hop limit 255, with its checksum.
[[nodiscard]] Frame encode_ndp(const Mac& sender, const Mac& receiver, const NdpPacket& packet);

// The packet in an untagged Ethernet frame; nullopt when it is neither of the two, or breaks a validity rule of RFC
// 4861 sections 7.1.1 and 7.1.2 (hop limit 255, checksum, code 0, lengths).
[[nodiscard]] std::optional<NdpPacket> decode_ndp(std::span<const std::uint8_t> frame);

// ff02::1:ffXX:XXXX (RFC 4291 section 2.7.1). Precondition: IPv6.
[[nodiscard]] IpAddress solicited_node(const IpAddress& address);
// ff02::1
[[nodiscard]] IpAddress all_nodes();
// 33:33 and the last four bytes (RFC 2464 section 7). Precondition: IPv6 multicast.
[[nodiscard]] Mac multicast_mac(const IpAddress& group);

}  // namespace plumb::netns
