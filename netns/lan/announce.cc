#include "netns/lan/announce.h"

#include <linux/if_packet.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "netns/link/carrier.h"
#include "netns/socket/packet_socket.h"
#include "netns/wire/arp.h"
#include "netns/wire/ndp.h"

namespace plumb::netns {

namespace {

using Frames = std::vector<Frame>;

Frames arp_frames(const Announcement& a) {
  Frames frames;
  // The target MAC of an announcement means nothing (RFC 5227 section 2.1.1), but gear exists that drops a zero one.
  frames.push_back(encode_arp(broadcast_mac(), {ArpOperation::request, a.mac, a.address, broadcast_mac(), a.address}));
  frames.push_back(encode_arp(broadcast_mac(), {ArpOperation::reply, a.mac, a.address, a.mac, a.address}));
  if (a.gateway && !a.gateway->is_v6())
    frames.push_back(encode_arp(a.gateway_mac.value_or(broadcast_mac()),
                                {ArpOperation::request, a.mac, a.address, zero_mac(), *a.gateway}));
  return frames;
}

Frames ndp_frames(const Announcement& a) {
  Frames frames;
  frames.push_back(encode_ndp(a.mac, multicast_mac(all_nodes()),
                              {.advertisement = true,
                               .source = a.address,
                               .destination = all_nodes(),
                               .target = a.address,
                               .link_layer = a.mac,
                               .override_flag = true}));
  if (a.gateway && a.gateway->is_v6()) {
    const IpAddress group = solicited_node(*a.gateway);
    frames.push_back(encode_ndp(a.mac, a.gateway_mac.value_or(multicast_mac(group)),
                                {.advertisement = false,
                                 .source = a.address,
                                 .destination = a.gateway_mac ? *a.gateway : group,
                                 .target = *a.gateway,
                                 .link_layer = a.mac}));
  }
  return frames;
}

}  // namespace

Result<std::shared_ptr<const UniqueFd>> open_announcing_socket(const Namespace& ns) {
  return std::make_shared<const UniqueFd>(TRY(open_packet_socket(ns, "open a packet socket to announce addresses")));
}

Result<Announcer> Announcer::open(const Namespace& ns, const Announcement& announcement) {
  return Announcer(TRY(open_announcing_socket(ns)), announcement);
}

Announcer::Announcer(std::shared_ptr<const UniqueFd> socket, const Announcement& announcement)
    : socket_(std::move(socket)),
      ifindex_(announcement.ifindex),
      frames_(announcement.address.is_v6() ? ndp_frames(announcement) : arp_frames(announcement)) {
  // The carrier of a link on a device follows that of the device a moment after the kernel has told of it; what is sent
  // before is lost without a word (macvlan_device_event, drivers/net/macvlan.c; dev_activate, net/sched/sch_generic.c).
  // A link of a kind that cannot be asked is announced on as it is.
  static_cast<void>(force_carrier(socket_->get(), ifindex_));
}

unsigned Announcer::send() noexcept {
  unsigned sent = 0;
  for (const Frame& frame : frames_) {
    sockaddr_ll to{};
    to.sll_family = AF_PACKET;
    to.sll_ifindex = ifindex_;
    to.sll_halen = 6;
    std::copy(frame.begin(), frame.begin() + 6, to.sll_addr);
    std::copy(frame.begin() + 12, frame.begin() + 14,
              reinterpret_cast<std::uint8_t*>(&to.sll_protocol));  // NOLINT: network order
    const auto* address = reinterpret_cast<const sockaddr*>(&to);  // NOLINT: the socket API's own way
    if (::sendto(socket_->get(), frame.data(), frame.size(), MSG_DONTWAIT | MSG_NOSIGNAL, address, sizeof to) < 0) {
      last_errno_ = errno;
      ++failed_;
    } else {
      ++sent;
    }
  }
  sent_ += sent;
  return sent;
}

}  // namespace plumb::netns
