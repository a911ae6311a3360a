#include "netns/lan/handover_channel.h"

#include <array>
#include <cstdint>

#include "netns/wire/plumb_frame.h"

namespace plumb::netns {

Result<HandoverChannel> HandoverChannel::open(const Namespace& ns, int ifindex) {
  return HandoverChannel(TRY(PacketSocket::open(ns, ifindex, kPlumbEthertype, handover_filter())));
}

int HandoverChannel::send(const HandoverMessage& message) const {
  return socket_.send(encode_handover(socket_.mac(), message));
}

std::optional<HandoverMessage> HandoverChannel::read() {
  std::array<std::uint8_t, 1024> buffer{};
  for (int errors = 0; errors < 3;) {
    const auto frame = socket_.receive(buffer);
    if (!frame) {
      ++errors;  // the device went down; reading the error takes it off the socket
      continue;
    }
    if (!*frame) return std::nullopt;
    if (auto message = decode_handover(**frame)) return message;
  }
  return std::nullopt;
}

}  // namespace plumb::netns
