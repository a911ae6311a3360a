#include "netns/wire/claim.h"

#include <linux/if_ether.h>
#include <netinet/in.h>

#include "netns/wire/arp.h"
#include "netns/wire/frame.h"
#include "netns/wire/frame_filter.h"
#include "netns/wire/ndp.h"

namespace plumb::netns {

namespace {

using Size = FrameField::Size;

// Where the fields are in an untagged frame, in bytes from its start.
constexpr std::uint32_t kArpSender = 28;
constexpr std::uint32_t kArpTarget = 38;
constexpr std::uint32_t kNextHeader = 20;
constexpr std::uint32_t kIcmpType = 54;
constexpr std::uint32_t kNdpTarget = 62;

FrameFilter arp_filter(const IpAddress& address, ClaimBy by) {
  const FrameField sender{Size::word, kArpSender, word_at(address.bytes(), 0)};
  const FrameField target{Size::word, kArpTarget, sender.value};
  FrameFilter out;
  return by == ClaimBy::use ? out.need({sender}) : out.need({sender, target});
}

FrameFilter ndp_filter(const IpAddress& address, ClaimBy by) {
  FrameFilter out;
  out.need({{Size::byte, kNextHeader, IPPROTO_ICMPV6}});
  const FrameField advertised{Size::byte, kIcmpType, kNdpAdvertisement};
  const FrameField solicited{Size::byte, kIcmpType, kNdpSolicitation};
  if (by == ClaimBy::use)
    out.need({advertised});
  else
    out.need({solicited, advertised});
  for (std::uint32_t at = 0; at < 16; at += 4) out.need({{Size::word, kNdpTarget + at, word_at(address.bytes(), at)}});
  return out;
}

std::optional<Mac> arp_claim(std::span<const std::uint8_t> frame, const IpAddress& address, ClaimBy by) {
  const auto packet = decode_arp(frame);
  if (!packet) return std::nullopt;
  const bool uses = packet->sender_ip == address;
  const bool probes =
      packet->operation == ArpOperation::request && packet->sender_ip.is_any() && packet->target_ip == address;
  return uses || (probes && by == ClaimBy::use_or_probe) ? std::optional(packet->sender_mac) : std::nullopt;
}

std::optional<Mac> ndp_claim(std::span<const std::uint8_t> frame, const IpAddress& address, ClaimBy by) {
  const auto packet = decode_ndp(frame);
  if (!packet || packet->target != address) return std::nullopt;
  const bool probes = !packet->advertisement && packet->source.is_any();  // else somebody only looks for it
  if (!packet->advertisement && !(probes && by == ClaimBy::use_or_probe)) return std::nullopt;
  return packet->link_layer ? *packet->link_layer : frame_sender(frame);
}

}  // namespace

std::optional<Mac> claim_in(std::span<const std::uint8_t> frame, const IpAddress& address, ClaimBy by) {
  return address.is_v6() ? ndp_claim(frame, address, by) : arp_claim(frame, address, by);
}

std::vector<sock_filter> claim_filter(const IpAddress& address, ClaimBy by) {
  return (address.is_v6() ? ndp_filter(address, by) : arp_filter(address, by)).program();
}

std::uint16_t claim_ethertype(const IpAddress& address) { return address.is_v6() ? ETH_P_IPV6 : ETH_P_ARP; }

}  // namespace plumb::netns
