#include "netns/wire/handover_message.h"

#include "netns/wire/plumb_frame.h"

namespace plumb::netns {

namespace {

// Behind the head: the word, the number, then both names.
constexpr std::size_t kNumberAt = kPlumbHead + 1;
constexpr std::size_t kNamesAt = kNumberAt + sizeof(std::uint64_t);

// The name that `rest` begins with is taken off it.
std::optional<std::string> take_name(std::span<const std::uint8_t>& rest) {
  if (rest.empty() || rest.size() - 1 < rest.front()) return std::nullopt;
  const auto name = rest.subspan(1, rest.front());
  rest = rest.subspan(1 + name.size());
  return std::string(name.begin(), name.end());
}

}  // namespace

Frame encode_handover(const Mac& sender, const HandoverMessage& message) {
  Frame frame = begin_plumb_frame(sender, PlumbKind::handover);
  frame.push_back(static_cast<std::uint8_t>(message.word));
  append_number(frame, message.number);
  append_name(frame, message.service);
  append_name(frame, message.node);
  pad(frame);
  return frame;
}

std::optional<HandoverMessage> decode_handover(std::span<const std::uint8_t> frame) {
  if (frame.size() < kNamesAt || !is_plumb_frame(frame, PlumbKind::handover)) return std::nullopt;
  HandoverMessage out;
  out.word = static_cast<HandoverWord>(frame[kNumberAt - 1]);
  if (out.word != HandoverWord::request && out.word != HandoverWord::withdrawn) return std::nullopt;
  out.number = number_at(frame, kNumberAt);
  auto rest = frame.subspan(kNamesAt);
  auto service = take_name(rest);
  auto node = take_name(rest);
  if (!service || service->empty() || !node) return std::nullopt;
  out.service = *std::move(service);
  out.node = *std::move(node);
  return out;
}

std::vector<sock_filter> handover_filter() { return plumb_filter().program(); }

}  // namespace plumb::netns
