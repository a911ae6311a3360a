#include "netns/lan/announce.h"

#include <linux/if_packet.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "netns/link/link.h"
#include "netns/namespace/enter.h"
#include "netns/wire/arp.h"
#include "netns/wire/ndp.h"

namespace plumb::netns {

namespace {

using Frames = std::vector<std::vector<std::uint8_t>>;

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

Result<Announcer> Announcer::open(const Namespace& ns, const Announcement& announcement) {
  UniqueFd fd = TRY(run_in(ns, [&]() -> Result<UniqueFd> {
    UniqueFd made(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));  // protocol 0: it receives nothing
    if (made) return made;
    Error error = errno_error(errno, "open a packet socket to announce " + announcement.address.to_string());
    if (errno == EPERM) error.next = "Run as root, or with CAP_NET_RAW";
    return Err{std::move(error)};
  }));
  // The carrier of a link on a device follows that of the device a moment after the kernel has told of it; what is sent
  // before is lost without a word (macvlan_device_event, drivers/net/macvlan.c; dev_activate, net/sched/sch_generic.c).
  // A link of a kind that cannot be asked is announced on as it is.
  static_cast<void>(force_carrier(fd.get(), announcement.ifindex));
  return Announcer(std::move(fd), announcement.ifindex,
                   announcement.address.is_v6() ? ndp_frames(announcement) : arp_frames(announcement));
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
    if (::sendto(fd_.get(), frame.data(), frame.size(), MSG_DONTWAIT | MSG_NOSIGNAL, address, sizeof to) < 0) {
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
