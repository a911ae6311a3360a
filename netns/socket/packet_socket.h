// PacketSocket: a packet(7) socket on one Ethernet device, for whole frames.
//
// For this layer and its tests. Threads: one at a time. Privilege: CAP_NET_RAW, and CAP_SYS_ADMIN when the namespace is
// not the caller's.
#pragma once

#include <linux/filter.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "netns/namespace/namespace.h"
#include "specs/value/ip.h"
#include "specs/value/result.h"
#include "specs/value/unique_fd.h"

namespace plumb::netns {

// A socket for whole frames that receives none before it is bound, and sends to the device that each sendto(2) names.
// Errors: permission, EMFILE; `what` begins the sentence.
[[nodiscard]] Result<UniqueFd> open_packet_socket(const Namespace& ns, const std::string& what);

class PacketSocket {
 public:
  // Receives frames of `ethertype` that `filter` (classic BPF, none: all) lets through, of others only: never the ones
  // that this host sends there (PACKET_IGNORE_OUTGOING). The filter is in place before the first frame can arrive. With
  // ethertype 0 it only sends. Errors: not_found (no device), unsupported (not Ethernet), permission.
  [[nodiscard]] static Result<PacketSocket> open(const Namespace& ns, int ifindex, std::uint16_t ethertype,
                                                 std::span<const sock_filter> filter = {});

  // The device's, at open().
  [[nodiscard]] const Mac& mac() const { return mac_; }
  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] UniqueFd release() && { return std::move(fd_); }
  // The device's name now (SIOCGIFNAME, netdevice(7)). Errors: not_found.
  [[nodiscard]] Result<std::string> device() const;
  // Its MTU now, in bytes behind the Ethernet header (SIOCGIFMTU); nullopt: it is gone.
  [[nodiscard]] std::optional<std::size_t> mtu() const;

  // Also takes frames to this multicast MAC. Errors: the kernel's.
  [[nodiscard]] Result<void> join(const Mac& group);
  // Returns 0 or the errno of sendto(2). Never blocks.
  [[nodiscard]] int send(std::span<const std::uint8_t> frame) const;
  // One frame, cut to the buffer; nullopt when none waits. Errors: the device's (ENETDOWN).
  [[nodiscard]] Result<std::optional<std::span<const std::uint8_t>>> receive(std::span<std::uint8_t> buffer) const;

 private:
  PacketSocket(UniqueFd fd, int ifindex, Mac mac) : fd_(std::move(fd)), ifindex_(ifindex), mac_(mac) {}
  UniqueFd fd_;
  int ifindex_;
  Mac mac_;
};

}  // namespace plumb::netns
