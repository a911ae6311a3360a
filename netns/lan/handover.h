// HandoverChannel: what two nodes say to each other while the addresses of a service go from the one to the other.
//
// Broadcast frames of EtherType 0x88b5, which IEEE Std 802 leaves to experiments on one LAN: they need no address,
// reach whoever is on the LAN that the addresses are on, and pass no router. Nothing proves who sent one: on that LAN,
// anybody can claim an address anyway.
//
// Threads: one at a time. Privilege: CAP_NET_RAW, and CAP_SYS_ADMIN when the namespace is not the caller's.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "netns/namespace/namespace.h"
#include "netns/socket/packet_socket.h"
#include "specs/value/ip.h"
#include "specs/value/result.h"

namespace plumb::netns {

enum class HandoverWord : std::uint8_t {
  request = 1,    // "all is ready here: withdraw the addresses, and tell me so by my number"
  withdrawn = 2,  // "I have them no more; they are for who has asked with that number"; 0: "who wants them?"
};

struct HandoverMessage {
  HandoverWord word = HandoverWord::request;
  std::uint64_t number = 0;  // of one request, at random, so that no other can take the answer for its own
  std::string service;       // 1 to 255 bytes
  std::string node;          // of the sender, 0 to 255 bytes

  friend bool operator==(const HandoverMessage&, const HandoverMessage&) = default;
};

// Pure: the frame from `sender` to everybody, and back; nullopt when it is no such frame. Names that are too long are
// cut.
[[nodiscard]] std::vector<std::uint8_t> encode_handover(const Mac& sender, const HandoverMessage& message);
[[nodiscard]] std::optional<HandoverMessage> decode_handover(std::span<const std::uint8_t> frame);

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
