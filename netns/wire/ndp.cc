#include "netns/wire/ndp.h"

#include <algorithm>
#include <array>

namespace plumb::netns {

namespace {

constexpr std::size_t kIpSize = 40;
constexpr std::size_t kIcmpAt = kEthernetSize + kIpSize;
constexpr std::size_t kFixedSize = 24;    // ICMPv6 header, flags, target
constexpr std::size_t kOptionSize = 8;    // type, length in units of 8 bytes, MAC
constexpr std::uint8_t kNextHeader = 58;  // ICMPv6
constexpr std::uint8_t kSolicitedBit = 0x40;
constexpr std::uint8_t kOverrideBit = 0x20;

// The checksum of RFC 4443 section 2.3 over an Ethernet frame with an ICMPv6 message of `size` bytes; 0 when the
// message's own is right.
std::uint16_t checksum(std::span<const std::uint8_t> frame, std::size_t size) {
  std::uint32_t sum = static_cast<std::uint32_t>(size) + kNextHeader;
  const auto add = [&sum](std::span<const std::uint8_t> bytes) {
    for (std::size_t i = 0; i < bytes.size(); ++i) sum += i % 2 == 0 ? bytes[i] * 256U : bytes[i];
  };
  add(frame.subspan(kEthernetSize + 8, 32));  // both addresses
  add(frame.subspan(kIcmpAt, size));
  while (sum > 0xffff) sum = (sum & 0xffffU) + (sum >> 16U);
  return static_cast<std::uint16_t>(~sum & 0xffffU);
}

// The link-layer option of `type` among the options; nullopt when there is none. False in `valid` when an option has no
// length.
std::optional<Mac> find_option(std::span<const std::uint8_t> options, std::uint8_t type, bool& valid) {
  std::optional<Mac> found;
  while (options.size() >= 2) {
    const std::size_t size = options[1] * std::size_t{8};
    if (size == 0 || size > options.size()) {
      valid = false;
      return std::nullopt;
    }
    if (options[0] == type && size == kOptionSize) found = *Mac::from_bytes(options.subspan(2, 6));
    options = options.subspan(size);
  }
  return found;
}

}  // namespace

Frame encode_ndp(const Mac& sender, const Mac& receiver, const NdpPacket& packet) {
  const std::size_t size = kFixedSize + (packet.link_layer ? kOptionSize : 0);
  Frame frame;
  frame.reserve(kIcmpAt + size);
  append(frame, receiver.bytes());
  append(frame, sender.bytes());
  append(frame, std::array<std::uint8_t, 6>{0x86, 0xdd, 0x60, 0, 0, 0});
  append(frame, std::array<std::uint8_t, 4>{0, static_cast<std::uint8_t>(size), kNextHeader, 255});
  append(frame, packet.source.bytes());
  append(frame, packet.destination.bytes());
  append(frame, std::array<std::uint8_t, 4>{packet.advertisement ? kNdpAdvertisement : kNdpSolicitation, 0, 0, 0});
  const unsigned flags = (packet.solicited ? kSolicitedBit : 0U) | (packet.override_flag ? kOverrideBit : 0U);
  append(frame, std::array<std::uint8_t, 4>{static_cast<std::uint8_t>(packet.advertisement ? flags : 0U), 0, 0, 0});
  append(frame, packet.target.bytes());
  if (packet.link_layer) {
    frame.push_back(packet.advertisement ? 2 : 1);
    frame.push_back(1);
    append(frame, packet.link_layer->bytes());
  }
  const std::uint16_t sum = checksum(frame, size);
  frame[kIcmpAt + 2] = static_cast<std::uint8_t>(sum >> 8U);
  frame[kIcmpAt + 3] = static_cast<std::uint8_t>(sum & 0xffU);
  return frame;
}

std::optional<NdpPacket> decode_ndp(std::span<const std::uint8_t> frame) {
  if (frame.size() < kIcmpAt + kFixedSize) return std::nullopt;
  if (frame[12] != 0x86 || frame[13] != 0xdd || (frame[14] >> 4U) != 6) return std::nullopt;
  const std::size_t size = frame[18] * std::size_t{256} + frame[19];
  if (size < kFixedSize || kIcmpAt + size > frame.size()) return std::nullopt;
  if (frame[20] != kNextHeader || frame[21] != 255 || frame[kIcmpAt + 1] != 0) return std::nullopt;
  const bool is_advertisement = frame[kIcmpAt] == kNdpAdvertisement;
  if (!is_advertisement && frame[kIcmpAt] != kNdpSolicitation) return std::nullopt;
  if (checksum(frame, size) != 0) return std::nullopt;
  bool valid = true;
  const auto options = frame.subspan(kIcmpAt + kFixedSize, size - kFixedSize);
  const auto link_layer = find_option(options, is_advertisement ? 2 : 1, valid);
  if (!valid) return std::nullopt;
  return NdpPacket{.advertisement = is_advertisement,
                   .source = *IpAddress::from_bytes(frame.subspan(22, 16)),
                   .destination = *IpAddress::from_bytes(frame.subspan(38, 16)),
                   .target = *IpAddress::from_bytes(frame.subspan(kIcmpAt + 8, 16)),
                   .link_layer = link_layer,
                   .override_flag = is_advertisement && (frame[kIcmpAt + 4] & kOverrideBit) != 0,
                   .solicited = is_advertisement && (frame[kIcmpAt + 4] & kSolicitedBit) != 0};
}

IpAddress solicited_node(const IpAddress& address) {
  std::array<std::uint8_t, 16> bytes{0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff};
  std::copy(address.bytes().end() - 3, address.bytes().end(), bytes.end() - 3);
  return *IpAddress::from_bytes(bytes);
}

IpAddress all_nodes() {
  const std::array<std::uint8_t, 16> bytes{0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  return *IpAddress::from_bytes(bytes);
}

Mac multicast_mac(const IpAddress& group) {
  std::array<std::uint8_t, 6> bytes{0x33, 0x33};
  std::copy(group.bytes().end() - 4, group.bytes().end(), bytes.begin() + 2);
  return *Mac::from_bytes(bytes);
}

}  // namespace plumb::netns
