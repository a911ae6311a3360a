#include "netns/lan/claim_socket.h"

#include <linux/if_ether.h>
#include <netinet/in.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <vector>

#include "netns/lan/membership.h"
#include "netns/namespace/enter.h"
#include "netns/wire/arp.h"
#include "netns/wire/claim.h"
#include "netns/wire/frame_filter.h"
#include "netns/wire/ndp.h"
#include "netns/wire/plumb_frame.h"

namespace plumb::netns {

namespace {

constexpr std::size_t kLargestFrame = 1600;

// Solicitations and advertisements (RFC 4861 sections 4.3, 4.4), right behind the IPv6 header.
std::vector<sock_filter> ndp_filter() {
  constexpr std::uint32_t kNextHeader = 20;
  constexpr std::uint32_t kIcmpType = 54;
  return FrameFilter()
      .need({{FrameField::Size::byte, kNextHeader, IPPROTO_ICMPV6}})
      .need({{FrameField::Size::byte, kIcmpType, kNdpSolicitation},
             {FrameField::Size::byte, kIcmpType, kNdpAdvertisement}})
      .program();
}

// A frame that says nothing of an address.
LanFrame other(std::span<const std::uint8_t> frame) {
  return {LanFrame::What::other, IpAddress::any_v4(), frame_sender(frame)};
}

}  // namespace

Result<ClaimSocket> ClaimSocket::open(std::shared_ptr<const Namespace> ns, int ifindex) {
  auto hellos = TRY(run_in(*ns, [&] { return PacketSocket::open(*ns, ifindex, kPlumbEthertype, hello_filter()); }));
  return ClaimSocket(std::move(ns), ifindex, std::move(hellos));
}

Result<void> ClaimSocket::listen_for(const IpAddress& address) {
  if (!address.is_v6()) {
    if (!arp_) arp_ = TRY(PacketSocket::open(*ns_, ifindex_, ETH_P_ARP, FrameFilter().program()));
    return {};
  }
  if (!ndp_) {
    ndp_ = TRY(PacketSocket::open(*ns_, ifindex_, ETH_P_IPV6, ndp_filter()));
    TRY(ndp_->join(multicast_mac(all_nodes())));  // where answers to a probe go (RFC 4861 section 7.2.4)
  }
  if (!heard_.insert(address).second) return {};
  TRY(ndp_->join(multicast_mac(solicited_node(address))));
  auto membership = TRY(run_in(*ns_, [&]() -> Result<UniqueFd> { return join_solicited_node(ifindex_, address); }));
  if (membership) memberships_.push_back(std::move(membership));
  return {};
}

int ClaimSocket::probe(const IpAddress& address) const {
  const auto& socket = address.is_v6() ? ndp_ : arp_;
  return socket ? socket->send(encode_probe(mac(), address)) : ENOTCONN;
}

int ClaimSocket::hello(std::string_view node, std::span<const HelloEntry> entries) const {
  auto frames = encode_hello(mac(), node, entries);
  if (frames.empty()) return 0;
  // None is longer than the first: a device with a smaller MTU than an Ethernet's refuses that one.
  int first_error = hellos_.send(frames.front());
  if (const auto mtu = first_error == EMSGSIZE ? hellos_.mtu() : std::nullopt) {
    frames = encode_hello(mac(), node, entries, std::max(*mtu + kEthernetSize, kLargestOfOne));
    first_error = hellos_.send(frames.front());
  }
  for (std::size_t i = 1; i < frames.size(); ++i)
    if (const int error = hellos_.send(frames[i]); first_error == 0) first_error = error;
  return first_error;
}

std::optional<LanFrame> ClaimSocket::read() const {
  std::array<std::uint8_t, kLargestFrame> buffer{};
  for (const auto* socket : {&hellos_, arp_ ? &*arp_ : nullptr, ndp_ ? &*ndp_ : nullptr}) {
    if (socket == nullptr) continue;
    // A device that went down is told of by an error, once for each time; reading takes it off the socket.
    auto frame = socket->receive(buffer);
    for (int again = 0; !frame && again < 3; ++again) frame = socket->receive(buffer);
    if (!frame || !*frame) continue;
    const auto bytes = **frame;
    if (bytes.size() < kEthernetSize) continue;
    if (socket == &hellos_) {
      auto hello = decode_hello(bytes);
      if (!hello) return other(bytes);
      return LanFrame{LanFrame::What::hello, IpAddress::any_v4(), frame_sender(bytes), *std::move(hello)};
    }
    const auto claim = claim_in(bytes);
    if (!claim) return other(bytes);
    const bool uses = claim->by == AddressClaim::By::use;
    return LanFrame{uses ? LanFrame::What::use : LanFrame::What::probe, claim->address, claim->mac};
  }
  return std::nullopt;
}

std::vector<int> ClaimSocket::descriptors() const {
  std::vector<int> out{hellos_.fd()};
  if (arp_) out.push_back(arp_->fd());
  if (ndp_) out.push_back(ndp_->fd());
  return out;
}

std::vector<int> ClaimSocket::memberships() const {
  std::vector<int> out;
  for (const auto& membership : memberships_) out.push_back(membership.get());
  return out;
}

}  // namespace plumb::netns
