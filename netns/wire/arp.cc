#include "netns/wire/arp.h"

#include <algorithm>
#include <array>

namespace plumb::netns {

namespace {

constexpr std::size_t ethernet_size = 14;
constexpr std::size_t arp_size = 28;
// Hardware type Ethernet, protocol IPv4, their address lengths (RFC 826), after the EtherType ARP.
constexpr std::array<std::uint8_t, 8> fixed{0x08, 0x06, 0x00, 0x01, 0x08, 0x00, 6, 4};

Mac mac_of(std::uint8_t byte) {
  const std::array<std::uint8_t, 6> bytes{byte, byte, byte, byte, byte, byte};
  return *Mac::from_bytes(bytes);
}

template <typename Bytes>
void append(std::vector<std::uint8_t>& frame, const Bytes& bytes) {
  frame.insert(frame.end(), bytes.begin(), bytes.end());
}

}  // namespace

Mac broadcast_mac() { return mac_of(0xff); }
Mac zero_mac() { return mac_of(0); }

std::vector<std::uint8_t> encode_arp(const Mac& destination, const ArpPacket& packet) {
  std::vector<std::uint8_t> frame;
  frame.reserve(ethernet_size + arp_size);
  append(frame, destination.bytes());
  append(frame, packet.sender_mac.bytes());
  append(frame, fixed);
  frame.push_back(0);
  frame.push_back(static_cast<std::uint8_t>(packet.operation));
  append(frame, packet.sender_mac.bytes());
  append(frame, packet.sender_ip.bytes());
  append(frame, packet.target_mac.bytes());
  append(frame, packet.target_ip.bytes());
  return frame;
}

std::optional<ArpPacket> decode_arp(std::span<const std::uint8_t> frame) {
  if (frame.size() < ethernet_size + arp_size) return std::nullopt;
  if (!std::equal(fixed.begin(), fixed.end(), frame.begin() + 12)) return std::nullopt;
  const unsigned operation = frame[20] * 256U + frame[21];
  if (operation != 1 && operation != 2) return std::nullopt;
  return ArpPacket{static_cast<ArpOperation>(operation), *Mac::from_bytes(frame.subspan(22, 6)),
                   *IpAddress::from_bytes(frame.subspan(28, 4)), *Mac::from_bytes(frame.subspan(32, 6)),
                   *IpAddress::from_bytes(frame.subspan(38, 4))};
}

}  // namespace plumb::netns
