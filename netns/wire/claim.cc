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

FrameFilter arp_filter(const IpAddress& address) {
  const FrameField sender{Size::word, kArpSender, word_at(address.bytes(), 0)};
  const FrameField target{Size::word, kArpTarget, sender.value};
  FrameFilter out;
  return out.need({sender, target});
}

FrameFilter ndp_filter(const IpAddress& address) {
  FrameFilter out;
  out.need({{Size::byte, kNextHeader, IPPROTO_ICMPV6}});
  const FrameField advertised{Size::byte, kIcmpType, kNdpAdvertisement};
  const FrameField solicited{Size::byte, kIcmpType, kNdpSolicitation};
  out.need({solicited, advertised});
  for (std::uint32_t at = 0; at < 16; at += 4) out.need({{Size::word, kNdpTarget + at, word_at(address.bytes(), at)}});
  return out;
}

}  // namespace

Frame encode_probe(const Mac& sender, const IpAddress& address) {
  if (!address.is_v6())
    return encode_arp(broadcast_mac(), {ArpOperation::request, sender, IpAddress::any_v4(), zero_mac(), address});
  const IpAddress group = solicited_node(address);
  return encode_ndp(sender, multicast_mac(group),
                    {.advertisement = false,
                     .source = IpAddress::any_v6(),
                     .destination = group,
                     .target = address,
                     .link_layer = {}});
}

std::optional<AddressClaim> claim_in(std::span<const std::uint8_t> frame) {
  if (const auto arp = decode_arp(frame)) {
    if (!arp->sender_ip.is_any()) return AddressClaim{AddressClaim::By::use, arp->sender_ip, arp->sender_mac};
    if (arp->operation != ArpOperation::request) return std::nullopt;
    return AddressClaim{AddressClaim::By::probe, arp->target_ip, arp->sender_mac};
  }
  const auto ndp = decode_ndp(frame);
  if (!ndp) return std::nullopt;
  const Mac mac = ndp->link_layer ? *ndp->link_layer : frame_sender(frame);
  if (ndp->advertisement) return AddressClaim{AddressClaim::By::use, ndp->target, mac};
  if (!ndp->source.is_any()) return std::nullopt;  // somebody only looks for it
  return AddressClaim{AddressClaim::By::probe, ndp->target, mac};
}

std::vector<sock_filter> claim_filter(const IpAddress& address) {
  return (address.is_v6() ? ndp_filter(address) : arp_filter(address)).program();
}

std::uint16_t claim_ethertype(const IpAddress& address) { return address.is_v6() ? ETH_P_IPV6 : ETH_P_ARP; }

}  // namespace plumb::netns
