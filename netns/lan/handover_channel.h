// HandoverChannel: the messages of a hand-over (netns/wire/handover_message.h), to and from a LAN.
//
// Threads: one at a time. Privilege: CAP_NET_RAW, and CAP_SYS_ADMIN when the namespace is not the caller's.
#pragma once

#include <optional>

#include "netns/namespace/namespace.h"
#include "netns/socket/packet_socket.h"
#include "netns/wire/handover_message.h"
#include "specs/value/result.h"
#include "specs/value/unique_fd.h"

namespace plumb::netns {

class HandoverChannel {
 public:
  // On a device of `ns`. Errors: not_found (no device), unsupported (not Ethernet), permission.
  [[nodiscard]] static Result<HandoverChannel> open(const Namespace& ns, int ifindex);

  // Readable when there is something to read, and when the device went down.
  [[nodiscard]] int fd() const { return socket_.fd(); }
  // Returns 0 or the errno of sendto(2). Never blocks.
  [[nodiscard]] int send(const HandoverMessage& message) const;
  // The next message of those that have arrived; nullopt: none. Never blocks.
  [[nodiscard]] std::optional<HandoverMessage> read();
  // The packet socket: closing it takes some 10 ms, as probe()'s.
  [[nodiscard]] UniqueFd release() && { return std::move(socket_).release(); }

 private:
  explicit HandoverChannel(PacketSocket socket) : socket_(std::move(socket)) {}
  PacketSocket socket_;
};

}  // namespace plumb::netns
