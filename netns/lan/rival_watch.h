// RivalWatch: hears when another host claims an address that is ours (RFC 5227 section 2.4; RFC 4862 section 5.4.4).
//
// A packet socket with a filter, so that no other frame wakes its owner. Threads: one at a time. Privilege:
// CAP_NET_RAW, and CAP_SYS_ADMIN when the namespace is not the caller's.
#pragma once

#include <optional>

#include "netns/namespace/namespace.h"
#include "netns/socket/packet_socket.h"
#include "specs/value/ip.h"
#include "specs/value/result.h"

namespace plumb::netns {

class RivalWatch {
 public:
  // On the device of `ns` that has the address. IPv4: ARP with the address as its sender; IPv6: neighbour
  // advertisements of it; both with a MAC that is not the device's. A probe of another host is answered by the kernel
  // and claims nothing. The socket keeps the namespace alive. Errors: not_found (no device), unsupported (not
  // Ethernet), permission.
  [[nodiscard]] static Result<RivalWatch> open(const Namespace& ns, int ifindex, const IpAddress& address);

  // Readable when there is something to read, and when the device went down.
  [[nodiscard]] int fd() const { return socket_.fd(); }
  // The device's, at open().
  [[nodiscard]] const Mac& mac() const { return socket_.mac(); }
  // The last claim of those that have arrived; never blocks.
  [[nodiscard]] std::optional<Mac> read();

 private:
  RivalWatch(PacketSocket socket, const IpAddress& address) : socket_(std::move(socket)), address_(address) {}
  PacketSocket socket_;
  IpAddress address_;
};

}  // namespace plumb::netns
