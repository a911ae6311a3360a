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

// By which MAC the frame claims 10.0.3.3 or fd00:3::3 from who has it, and from who is about to take it.
struct Heard {
  std::optional<Mac> by_owner;
  std::optional<Mac> by_prober;
};

Heard heard(const Frame& frame) {
  const auto address = decode_arp(frame) ? ip("10.0.3.3") : ip("fd00:3::3");
  return {claim_in(frame, address, ClaimBy::use), claim_in(frame, address, ClaimBy::use_or_probe)};
}

TEST_CASE("ARP claims by its sender, a probe only against a probe, and a question claims nothing") {
  for (const auto operation : {ArpOperation::request, ArpOperation::reply}) {
    CHECK(heard(arp(operation, "10.0.3.3", "10.0.3.9")).by_owner == mac(kSender));
    CHECK(heard(arp(operation, "10.0.3.3", "10.0.3.9")).by_prober == mac(kSender));
  }
  CHECK_FALSE(heard(arp(ArpOperation::request, "0.0.0.0", "10.0.3.3")).by_owner);
  CHECK(heard(arp(ArpOperation::request, "0.0.0.0", "10.0.3.3")).by_prober == mac(kSender));
  for (const auto& frame :
       {arp(ArpOperation::request, "10.0.3.9", "10.0.3.3"), arp(ArpOperation::reply, "0.0.0.0", "10.0.3.3"),
        arp(ArpOperation::request, "0.0.0.0", "10.0.3.4")}) {
    CHECK_FALSE(heard(frame).by_owner);
    CHECK_FALSE(heard(frame).by_prober);
  }
}

TEST_CASE("an advertisement claims by the MAC that it names, else by its frame's sender") {
  auto packet = about("fd00:3::3");
  CHECK(heard(ndp(packet)).by_owner == mac(kSender));
  packet.link_layer = mac("02:00:00:00:00:98");
  CHECK(heard(ndp(packet)).by_owner == mac("02:00:00:00:00:98"));
  CHECK(heard(ndp(packet)).by_prober == mac("02:00:00:00:00:98"));
  CHECK_FALSE(heard(ndp(about("fd00:3::4"))).by_prober);
}

TEST_CASE("a solicitation from :: is a probe, one from an address only looks for it") {
  auto packet = about("fd00:3::3");
  packet.advertisement = false;
  CHECK_FALSE(heard(ndp(packet)).by_owner);
  CHECK_FALSE(heard(ndp(packet)).by_prober);
  packet.source = IpAddress::any_v6();
  CHECK_FALSE(heard(ndp(packet)).by_owner);
  CHECK(heard(ndp(packet)).by_prober == mac(kSender));
}

TEST_CASE("what is no packet of the address' family claims nothing") {
  const auto by_arp = arp(ArpOperation::reply, "10.0.3.3", "10.0.3.3");
  const auto by_ndp = ndp(about("fd00:3::3"));
  CHECK_FALSE(claim_in(by_arp, ip("fd00:3::3"), ClaimBy::use_or_probe));
  CHECK_FALSE(claim_in(by_ndp, ip("10.0.3.3"), ClaimBy::use_or_probe));
  CHECK_FALSE(claim_in(std::span(by_ndp).first(20), ip("fd00:3::3"), ClaimBy::use_or_probe));
}

}  // namespace
}  // namespace plumb::netns
