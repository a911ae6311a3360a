#include "netns/lan/handover.h"

#include <linux/if_packet.h>

#include <algorithm>
#include <array>

#include "netns/wire/arp.h"
#include "netns/wire/frame_filter.h"

namespace plumb::netns {

namespace {

constexpr std::uint16_t experimental = 0x88b5;  // IEEE Std 802-2014 section 9.2.4
constexpr std::size_t ethernet_size = 14;
constexpr std::size_t smallest_frame = 60;  // without its checksum; what is shorter, a device pads
// "PLMB" and the version of what follows: the word, the number, then each name with its length before it.
constexpr std::array<std::uint8_t, 5> magic{'P', 'L', 'M', 'B', 1};
constexpr std::size_t longest_name = 255;
constexpr std::size_t number_at = ethernet_size + magic.size() + 1;
constexpr std::size_t names_at = number_at + sizeof(std::uint64_t);

void append(std::vector<std::uint8_t>& frame, std::string_view name) {
  name = name.substr(0, longest_name);
  frame.push_back(static_cast<std::uint8_t>(name.size()));
  frame.insert(frame.end(), name.begin(), name.end());
}

// The name that `rest` begins with is taken off it.
std::optional<std::string> take_name(std::span<const std::uint8_t>& rest) {
  if (rest.empty() || rest.size() - 1 < rest.front()) return std::nullopt;
  const auto name = rest.subspan(1, rest.front());
  rest = rest.subspan(1 + name.size());
  return std::string(name.begin(), name.end());
}

}  // namespace

std::vector<std::uint8_t> encode_handover(const Mac& sender, const HandoverMessage& message) {
  std::vector<std::uint8_t> frame;
  const Mac everybody = broadcast_mac();
  for (const auto& bytes : {everybody.bytes(), sender.bytes()}) frame.insert(frame.end(), bytes.begin(), bytes.end());
  frame.push_back(experimental >> 8U);
  frame.push_back(experimental & 0xffU);
  frame.insert(frame.end(), magic.begin(), magic.end());
  frame.push_back(static_cast<std::uint8_t>(message.word));
  for (unsigned shift = 64; shift > 0; shift -= 8)
    frame.push_back(static_cast<std::uint8_t>(message.number >> (shift - 8)));
  append(frame, message.service);
  append(frame, message.node);
  frame.resize(std::max(frame.size(), smallest_frame));
  return frame;
}

std::optional<HandoverMessage> decode_handover(std::span<const std::uint8_t> frame) {
  if (frame.size() < names_at || frame[12] != experimental >> 8U || frame[13] != (experimental & 0xffU))
    return std::nullopt;
  if (!std::equal(magic.begin(), magic.end(), frame.begin() + ethernet_size)) return std::nullopt;
  HandoverMessage out;
  out.word = static_cast<HandoverWord>(frame[number_at - 1]);
  if (out.word != HandoverWord::request && out.word != HandoverWord::withdrawn) return std::nullopt;
  for (const auto byte : frame.subspan(number_at, sizeof out.number)) out.number = out.number << 8U | byte;
  auto rest = frame.subspan(names_at);
  auto service = take_name(rest);
  auto node = take_name(rest);
  if (!service || service->empty() || !node) return std::nullopt;
  out.service = *std::move(service);
  out.node = *std::move(node);
  return out;
}

Result<HandoverChannel> HandoverChannel::open(const Namespace& ns, int ifindex) {
  using namespace frame_filter;
  const std::array<sock_filter, 6> filter{{{load_byte, 0, 0, packet_type},
                                           {jump_equal, 3, 0, PACKET_OTHERHOST},
                                           {load_word, 0, 0, ethernet_size},
                                           {jump_equal, 0, 1, word(magic, 0)},
                                           {finish, 0, 0, whole_frame},
                                           {finish, 0, 0, 0}}};
  return HandoverChannel(TRY(PacketSocket::open(ns, ifindex, experimental, filter)));
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
