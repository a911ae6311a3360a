#include "netns/wire/handover_message.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "netns/wire/arp.h"
#include "netns/wire/frame_filter.h"

namespace plumb::netns {

namespace {

constexpr std::size_t kSmallestFrame = 60;  // what is shorter, a device pads
// "PLMB" and the version of what follows: the word, the number, then each name with its length before it.
constexpr std::array<std::uint8_t, 5> kMagic{'P', 'L', 'M', 'B', 1};
constexpr std::size_t kLongestName = 255;
constexpr std::size_t kNumberAt = kEthernetSize + kMagic.size() + 1;
constexpr std::size_t kNamesAt = kNumberAt + sizeof(std::uint64_t);

void append_name(Frame& frame, std::string_view name) {
  name = name.substr(0, kLongestName);
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

Frame encode_handover(const Mac& sender, const HandoverMessage& message) {
  Frame frame;
  append(frame, broadcast_mac().bytes());
  append(frame, sender.bytes());
  frame.push_back(kHandoverEthertype >> 8U);
  frame.push_back(kHandoverEthertype & 0xffU);
  append(frame, kMagic);
  frame.push_back(static_cast<std::uint8_t>(message.word));
  for (unsigned shift = 64; shift > 0; shift -= 8)
    frame.push_back(static_cast<std::uint8_t>(message.number >> (shift - 8)));
  append_name(frame, message.service);
  append_name(frame, message.node);
  frame.resize(std::max(frame.size(), kSmallestFrame));
  return frame;
}

std::optional<HandoverMessage> decode_handover(std::span<const std::uint8_t> frame) {
  if (frame.size() < kNamesAt || frame[12] != kHandoverEthertype >> 8U || frame[13] != (kHandoverEthertype & 0xffU))
    return std::nullopt;
  if (!std::equal(kMagic.begin(), kMagic.end(), frame.begin() + kEthernetSize)) return std::nullopt;
  HandoverMessage out;
  out.word = static_cast<HandoverWord>(frame[kNumberAt - 1]);
  if (out.word != HandoverWord::request && out.word != HandoverWord::withdrawn) return std::nullopt;
  for (const auto byte : frame.subspan(kNumberAt, sizeof out.number)) out.number = out.number << 8U | byte;
  auto rest = frame.subspan(kNamesAt);
  auto service = take_name(rest);
  auto node = take_name(rest);
  if (!service || service->empty() || !node) return std::nullopt;
  out.service = *std::move(service);
  out.node = *std::move(node);
  return out;
}

std::vector<sock_filter> handover_filter() {
  return FrameFilter().need({{FrameField::Size::word, kEthernetSize, word_at(kMagic, 0)}}).program();
}

}  // namespace plumb::netns
