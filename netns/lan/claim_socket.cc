#include "netns/lan/claim_socket.h"

#include <linux/if_ether.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "netns/namespace/enter.h"
#include "netns/wire/arp.h"
#include "netns/wire/claim.h"
#include "netns/wire/frame_filter.h"
#include "netns/wire/handover_message.h"
#include "netns/wire/ndp.h"

namespace plumb::netns {

namespace {

constexpr std::size_t kLargestFrame = 1600;

// Solicitations and advertisements (RFC 4861 sections 4.3, 4.4), right behind the IPv6 header.
std::vector<sock_filter> ndp_filter() {
  constexpr std::uint32_t next_header = 20;
  constexpr std::uint32_t icmp_type = 54;
  return FrameFilter()
      .need({{FrameField::Size::byte, next_header, IPPROTO_ICMPV6}})
      .need({{FrameField::Size::byte, icmp_type, kNdpSolicitation},
             {FrameField::Size::byte, icmp_type, kNdpAdvertisement}})
      .program();
}

Frame probe_frame(const Mac& mac, const IpAddress& address) {
  if (!address.is_v6())
    return encode_arp(broadcast_mac(), {ArpOperation::request, mac, IpAddress::any_v4(), zero_mac(), address});
  const IpAddress group = solicited_node(address);
  return encode_ndp(mac, multicast_mac(group),
                    {.advertisement = false,
                     .source = IpAddress::any_v6(),
                     .destination = group,
                     .target = address,
                     .link_layer = {}});
}

// Joins the address' solicited-node group through the IPv6 stack, so that a switch that snoops MLD lets the rivals'
// probes through to us (RFC 4862 section 5.4.2). Only a help: where IPv6 is off on the device, the packet socket's
// membership has to do, so failures do not count.
UniqueFd join_by_mld(int ifindex, const IpAddress& group) {
  UniqueFd fd(::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ipv6_mreq request{};
  std::memcpy(&request.ipv6mr_multiaddr, group.bytes().data(), sizeof request.ipv6mr_multiaddr);
  request.ipv6mr_interface = static_cast<unsigned>(ifindex);
  if (fd) static_cast<void>(::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_JOIN_GROUP, &request, sizeof request));
  return fd;
}

// A frame that says nothing of an address.
LanFrame other(std::span<const std::uint8_t> frame) {
  return {LanFrame::What::other, IpAddress::any_v4(), frame_sender(frame)};
}

LanFrame in_arp(std::span<const std::uint8_t> frame) {
  const auto packet = decode_arp(frame);
  if (!packet) return other(frame);
  if (!packet->sender_ip.is_any()) return {LanFrame::What::use, packet->sender_ip, packet->sender_mac};
  const bool asks = packet->operation == ArpOperation::request;
  return {asks ? LanFrame::What::probe : LanFrame::What::other, packet->target_ip, packet->sender_mac};
}

LanFrame in_ndp(std::span<const std::uint8_t> frame) {
  const auto packet = decode_ndp(frame);
  if (!packet) return other(frame);
  const Mac mac = packet->link_layer ? *packet->link_layer : frame_sender(frame);
  if (packet->advertisement) return {LanFrame::What::use, packet->target, mac};
  return {packet->source.is_any() ? LanFrame::What::probe : LanFrame::What::other, packet->target, mac};
}

}  // namespace

Result<ClaimSocket> ClaimSocket::open(std::shared_ptr<const Namespace> ns, int ifindex) {
  auto hellos = TRY(run_in(*ns, [&] { return PacketSocket::open(*ns, ifindex, kHandoverEthertype, hello_filter()); }));
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
  const IpAddress group = solicited_node(address);
  TRY(ndp_->join(multicast_mac(group)));
  auto membership = TRY(run_in(*ns_, [&]() -> Result<UniqueFd> { return join_by_mld(ifindex_, group); }));
  if (membership) memberships_.push_back(std::move(membership));
  return {};
}

int ClaimSocket::probe(const IpAddress& address) const {
  const auto& socket = address.is_v6() ? ndp_ : arp_;
  return socket ? socket->send(probe_frame(mac(), address)) : ENOTCONN;
}

int ClaimSocket::hello(std::string_view node, std::span<const HelloEntry> entries) const {
  int first_error = 0;
  for (const auto& frame : encode_hello(mac(), node, entries))
    if (const int error = hellos_.send(frame); first_error == 0) first_error = error;
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
    return arp_ && socket == &*arp_ ? in_arp(bytes) : in_ndp(bytes);
  }
  return std::nullopt;
}

std::vector<int> ClaimSocket::descriptors() const {
  std::vector<int> out{hellos_.fd()};
  if (arp_) out.push_back(arp_->fd());
  if (ndp_) out.push_back(ndp_->fd());
  return out;
}

}  // namespace plumb::netns
