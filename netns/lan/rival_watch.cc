#include "netns/lan/rival_watch.h"

#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/in.h>

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "netns/wire/arp.h"
#include "netns/wire/frame_filter.h"
#include "netns/wire/ndp.h"

namespace plumb::netns {

namespace {

using frame_filter::finish;
using frame_filter::jump_equal;
using frame_filter::load_byte;
using frame_filter::load_word;
using frame_filter::packet_type;
using frame_filter::whole_frame;
using frame_filter::word;

// ARP with the address as its sender (offset 28).
std::vector<sock_filter> arp_filter(const IpAddress& address) {
  return {{load_byte, 0, 0, packet_type}, {jump_equal, 3, 0, PACKET_OTHERHOST},
          {load_word, 0, 0, 28},          {jump_equal, 0, 1, word(address.bytes(), 0)},
          {finish, 0, 0, whole_frame},    {finish, 0, 0, 0}};
}

// ICMPv6 (next header at 20) advertisements (type 136 at 54) of the address (target at 62).
std::vector<sock_filter> ndp_filter(const IpAddress& address) {
  const auto bytes = address.bytes();
  return {{load_byte, 0, 0, packet_type}, {jump_equal, 13, 0, PACKET_OTHERHOST},
          {load_byte, 0, 0, 20},          {jump_equal, 0, 11, IPPROTO_ICMPV6},
          {load_byte, 0, 0, 54},          {jump_equal, 0, 9, 136},
          {load_word, 0, 0, 62},          {jump_equal, 0, 7, word(bytes, 0)},
          {load_word, 0, 0, 66},          {jump_equal, 0, 5, word(bytes, 4)},
          {load_word, 0, 0, 70},          {jump_equal, 0, 3, word(bytes, 8)},
          {load_word, 0, 0, 74},          {jump_equal, 0, 1, word(bytes, 12)},
          {finish, 0, 0, whole_frame},    {finish, 0, 0, 0}};
}

std::optional<Mac> arp_claim(std::span<const std::uint8_t> frame, const IpAddress& address) {
  const auto packet = decode_arp(frame);
  if (!packet || packet->sender_ip != address) return std::nullopt;
  return packet->sender_mac;
}

std::optional<Mac> ndp_claim(std::span<const std::uint8_t> frame, const IpAddress& address) {
  const auto packet = decode_ndp(frame);
  if (!packet || !packet->advertisement || packet->target != address) return std::nullopt;
  return packet->link_layer ? *packet->link_layer : *Mac::from_bytes(frame.subspan(6, 6));
}

}  // namespace

Result<RivalWatch> RivalWatch::open(const Namespace& ns, int ifindex, const IpAddress& address) {
  const bool v6 = address.is_v6();
  auto socket =
      TRY(PacketSocket::open(ns, ifindex, v6 ? ETH_P_IPV6 : ETH_P_ARP, v6 ? ndp_filter(address) : arp_filter(address)));
  if (v6) TRY(socket.join(multicast_mac(all_nodes())));  // where unsolicited advertisements go
  return RivalWatch(std::move(socket), address);
}

std::optional<Mac> RivalWatch::read() {
  std::optional<Mac> last;
  std::array<std::uint8_t, 512> buffer{};
  for (int errors = 0; errors < 3;) {
    const auto frame = socket_.receive(buffer);
    if (!frame) {
      ++errors;  // the device went down, which LinkWatch tells; reading the error takes it off the socket
      continue;
    }
    if (!*frame) return last;
    auto mac = address_.is_v6() ? ndp_claim(**frame, address_) : arp_claim(**frame, address_);
    if (mac && *mac != socket_.mac()) last = mac;
  }
  return last;
}

}  // namespace plumb::netns
