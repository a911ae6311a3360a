// What frames claim an address, and by which MAC: no kernel.
#include "netns/wire/claim.h"

#include <doctest/doctest.h>

#include "netns/wire/arp.h"
#include "netns/wire/ndp.h"
#include "tests/netns/lan.h"

namespace plumb::netns {
namespace {

using test::ip;
using test::mac;

constexpr const char* kSender = "02:00:00:00:00:99";

Frame arp(ArpOperation operation, const char* from, const char* to) {
  return encode_arp(broadcast_mac(), {operation, mac(kSender), ip(from), zero_mac(), ip(to)});
}

NdpPacket about(const char* target) {
  return {.advertisement = true,
          .source = ip("fd00:3::9"),
          .destination = all_nodes(),
          .target = ip(target),
          .link_layer = {}};
}

Frame ndp(const NdpPacket& packet) { return encode_ndp(mac(kSender), multicast_mac(all_nodes()), packet); }

using By = AddressClaim::By;

// Whether it claims the address, in that way and by that MAC.
bool claims(const Frame& frame, By by, const char* address, const char* by_mac = kSender) {
  const auto claim = claim_in(frame);
  return claim && claim->by == by && claim->address == ip(address) && claim->mac == mac(by_mac);
}

TEST_CASE("ARP claims by its sender, a probe asks, and a question claims only who asks it") {
  for (const auto operation : {ArpOperation::request, ArpOperation::reply})
    CHECK(claims(arp(operation, "10.0.3.3", "10.0.3.9"), By::use, "10.0.3.3"));
  CHECK(claims(arp(ArpOperation::request, "0.0.0.0", "10.0.3.3"), By::probe, "10.0.3.3"));
  CHECK(claims(arp(ArpOperation::request, "10.0.3.9", "10.0.3.3"), By::use, "10.0.3.9"));
  CHECK_FALSE(claim_in(arp(ArpOperation::reply, "0.0.0.0", "10.0.3.3")));
}

TEST_CASE("an advertisement claims by the MAC that it names, else by its frame's sender") {
  auto packet = about("fd00:3::3");
  CHECK(claims(ndp(packet), By::use, "fd00:3::3"));
  packet.link_layer = mac("02:00:00:00:00:98");
  CHECK(claims(ndp(packet), By::use, "fd00:3::3", "02:00:00:00:00:98"));
}

TEST_CASE("a solicitation from :: is a probe, one from an address only looks for it") {
  auto packet = about("fd00:3::3");
  packet.advertisement = false;
  CHECK_FALSE(claim_in(ndp(packet)));
  packet.source = IpAddress::any_v6();
  CHECK(claims(ndp(packet), By::probe, "fd00:3::3"));
}

TEST_CASE("what is no whole packet claims nothing, and what is written as a probe is read as one") {
  for (const auto& whole : {ndp(about("fd00:3::3")), arp(ArpOperation::reply, "10.0.3.3", "10.0.3.3")})
    for (const std::size_t size : {20U, 30U}) CHECK_FALSE(claim_in(std::span(whole).first(size)));
  for (const char* address : {"10.0.3.3", "fd00:3::3"})
    CHECK(claims(encode_probe(mac(kSender), ip(address)), By::probe, address));
}

}  // namespace
}  // namespace plumb::netns
