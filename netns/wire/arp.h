// ArpPacket: IPv4-over-Ethernet ARP (RFC 826), from a value to a frame and back. Pure.
//
// For this layer and its tests. Threads: plain values. Privilege: none.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "specs/value/ip.h"

namespace plumb::netns {

enum class ArpOperation : std::uint16_t { request = 1, reply = 2 };

struct ArpPacket {
  ArpOperation operation = ArpOperation::request;
  Mac sender_mac;
  IpAddress sender_ip;
  Mac target_mac;
  IpAddress target_ip;
};

// The Ethernet frame, from the packet's sender to `destination`. 42 bytes: the device or its driver pads.
[[nodiscard]] std::vector<std::uint8_t> encode_arp(const Mac& destination, const ArpPacket& packet);

// The packet in an untagged Ethernet frame; nullopt when it is not ARP for IPv4 over Ethernet, or too short.
[[nodiscard]] std::optional<ArpPacket> decode_arp(std::span<const std::uint8_t> frame);

// ff:ff:ff:ff:ff:ff and 00:00:00:00:00:00.
[[nodiscard]] Mac broadcast_mac();
[[nodiscard]] Mac zero_mac();

}  // namespace plumb::netns
