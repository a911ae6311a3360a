#include "netns/wire/arp.h"

#include <algorithm>
#include <array>

namespace plumb::netns {

namespace {

constexpr std::size_t kArpSize = 28;
// Hardware type Ethernet, protocol IPv4, their address lengths (RFC 826), after the EtherType ARP.
constexpr std::array<std::uint8_t, 8> kFixed{0x08, 0x06, 0x00, 0x01, 0x08, 0x00, 6, 4};

Mac mac_of(std::uint8_t byte) {
  const std::array<std::uint8_t, 6> bytes{byte, byte, byte, byte, byte, byte};
  return *Mac::from_bytes(bytes);
}

}  // namespace

Mac broadcast_mac() { return mac_of(0xff); }
Mac zero_mac() { return mac_of(0); }

Frame encode_arp(const Mac& destination, const ArpPacket& packet) {
  Frame frame;
  frame.reserve(kEthernetSize + kArpSize);
  append(frame, destination.bytes());
  append(frame, packet.sender_mac.bytes());
  append(frame, kFixed);
  frame.push_back(0);
  frame.push_back(static_cast<std::uint8_t>(packet.operation));
  append(frame, packet.sender_mac.bytes());
  append(frame, packet.sender_ip.bytes());
  append(frame, packet.target_mac.bytes());
  append(frame, packet.target_ip.bytes());
  return frame;
}

std::optional<ArpPacket> decode_arp(std::span<const std::uint8_t> frame) {
  if (frame.size() < kEthernetSize + kArpSize) return std::nullopt;
  if (!std::equal(kFixed.begin(), kFixed.end(), frame.begin() + 12)) return std::nullopt;
  const unsigned operation = frame[20] * 256U + frame[21];
  if (operation != 1 && operation != 2) return std::nullopt;
  return ArpPacket{static_cast<ArpOperation>(operation), *Mac::from_bytes(frame.subspan(22, 6)),
                   *IpAddress::from_bytes(frame.subspan(28, 4)), *Mac::from_bytes(frame.subspan(32, 6)),
                   *IpAddress::from_bytes(frame.subspan(38, 4))};
}

}  // namespace plumb::netns
