// The codecs of ARP and neighbour discovery: tables of bytes, no kernel.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>

#include "netns/wire/arp.h"
#include "netns/wire/ndp.h"
#include "tests/netns/lan.h"

namespace plumb::netns {
namespace {

using test::ip;
using test::mac;

// As tcpdump -xx shows a gratuitous ARP of arping(8).
const Frame kGratuitous{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02, 0x00, 0x0a, 0x00, 0x03, 0x03, 0x08, 0x06,
                        0x00, 0x01, 0x08, 0x00, 0x06, 0x04, 0x00, 0x01, 0x02, 0x00, 0x0a, 0x00, 0x03, 0x03,
                        0x0a, 0x00, 0x03, 0x03, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0a, 0x00, 0x03, 0x03};

TEST_CASE("ARP is encoded as on the wire, and decoded") {
  const ArpPacket packet{ArpOperation::request, mac("02:00:0a:00:03:03"), ip("10.0.3.3"), broadcast_mac(),
                         ip("10.0.3.3")};
  CHECK(encode_arp(broadcast_mac(), packet) == kGratuitous);
  Frame padded = kGratuitous;
  padded.resize(60);
  const auto decoded = decode_arp(padded);
  REQUIRE(decoded);
  CHECK(decoded->operation == ArpOperation::request);
  CHECK(decoded->sender_mac == packet.sender_mac);
  CHECK(decoded->sender_ip == packet.sender_ip);
  CHECK(decoded->target_mac == packet.target_mac);
  CHECK(decoded->target_ip == packet.target_ip);
}

TEST_CASE("what is not ARP for IPv4 over Ethernet is not decoded") {
  for (std::size_t size = 0; size < kGratuitous.size(); ++size)
    CHECK_FALSE(decode_arp(std::span(kGratuitous).first(size)));
  // Byte 12 on: EtherType, hardware and protocol type, lengths; then the operation.
  for (std::size_t at = 12; at < 22; ++at) {
    CAPTURE(at);
    Frame wrong = kGratuitous;
    wrong[at] = static_cast<std::uint8_t>(wrong[at] + 7);
    CHECK_FALSE(decode_arp(wrong));
  }
}

// An advertisement for fe80::1 to ff02::1 with override and target link-layer address, checksum computed by hand.
NdpPacket advertisement() {
  return {.advertisement = true,
          .source = ip("fe80::1"),
          .destination = all_nodes(),
          .target = ip("fe80::1"),
          .link_layer = mac("02:00:0a:00:03:03"),
          .override_flag = true};
}

TEST_CASE("a neighbour advertisement is encoded as on the wire") {
  const Frame expected{0x33, 0x33, 0x00, 0x00, 0x00, 0x01, 0x02, 0x00, 0x0a, 0x00, 0x03, 0x03, 0x86, 0xdd,  // Ethernet
                       0x60, 0x00, 0x00, 0x00, 0x00, 0x20, 0x3a, 0xff,  // IPv6, 32 bytes, hop limit 255
                       0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                       0, 0, 0, 1,
                       // fe80+1+ff02+1+20+3a+8800+2000+fe80+1+0201+0200+0a00+0303 = 3b563 -> b566, complemented 4a99
                       0x88, 0x00, 0x4a, 0x99, 0x20, 0x00, 0x00, 0x00,        // ICMPv6, override
                       0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,  // target
                       0x02, 0x01, 0x02, 0x00, 0x0a, 0x00, 0x03, 0x03};       // target link-layer
  CHECK(encode_ndp(mac("02:00:0a:00:03:03"), multicast_mac(all_nodes()), advertisement()) == expected);
}

TEST_CASE("neighbour discovery survives the round trip") {
  NdpPacket probe{.advertisement = false,
                  .source = IpAddress::any_v6(),
                  .destination = solicited_node(ip("fd00:3::3")),
                  .target = ip("fd00:3::3"),
                  .link_layer = {}};
  for (const NdpPacket& packet : {advertisement(), probe}) {
    const auto decoded = decode_ndp(encode_ndp(mac("02:00:0a:00:03:03"), mac("33:33:ff:00:00:03"), packet));
    REQUIRE(decoded);
    CHECK(decoded->advertisement == packet.advertisement);
    CHECK(decoded->source == packet.source);
    CHECK(decoded->destination == packet.destination);
    CHECK(decoded->target == packet.target);
    CHECK(decoded->link_layer == packet.link_layer);
    CHECK(decoded->override_flag == packet.override_flag);
    CHECK(decoded->solicited == packet.solicited);
  }
}

TEST_CASE("a damaged neighbour discovery frame is not decoded") {
  const Frame good = encode_ndp(mac("02:00:0a:00:03:03"), multicast_mac(all_nodes()), advertisement());
  for (std::size_t size = 0; size < good.size(); ++size) CHECK_FALSE(decode_ndp(std::span(good).first(size)));
  // Every bit from the addresses on is under the checksum; of the header before it, version, length, next header and
  // hop limit count.
  for (std::size_t at = 12; at < good.size(); ++at) {
    const bool free = at >= 15 && at <= 17;  // traffic class and flow label
    if (free || at == 14) continue;
    CAPTURE(at);
    Frame wrong = good;
    wrong[at] = static_cast<std::uint8_t>(wrong[at] ^ 0x04U);
    CHECK_FALSE(decode_ndp(wrong));
  }
  Frame no_length = good;  // an option without a length would be read for ever
  no_length[good.size() - 7] = 0;
  CHECK_FALSE(decode_ndp(no_length));
}

TEST_CASE("groups") {
  CHECK(solicited_node(ip("fd00::1:2345:6789")) == ip("ff02::1:ff45:6789"));
  CHECK(multicast_mac(ip("ff02::1:ff45:6789")) == mac("33:33:ff:45:67:89"));
  CHECK(multicast_mac(all_nodes()) == mac("33:33:00:00:00:01"));
}

}  // namespace
}  // namespace plumb::netns
