#include "netns/wire/frame_filter.h"

#include <linux/if_packet.h>

namespace plumb::netns {

namespace {

constexpr std::uint16_t kLoadWord = BPF_LD | BPF_W | BPF_ABS;
constexpr std::uint16_t kLoadByte = BPF_LD | BPF_B | BPF_ABS;
constexpr std::uint16_t kJumpEqual = BPF_JMP | BPF_JEQ | BPF_K;
constexpr std::uint16_t kFinish = BPF_RET | BPF_K;
constexpr std::uint32_t kWholeFrame = 0xffff;
constexpr std::uint32_t kPacketType = static_cast<std::uint32_t>(SKF_AD_OFF + SKF_AD_PKTTYPE);

// Stands for the way out until the program's length is known; no program is that long.
constexpr std::uint8_t kToTheDrop = 0xff;

}  // namespace

std::uint32_t word_at(std::span<const std::uint8_t> bytes, std::size_t at) {
  return (std::uint32_t{bytes[at]} << 24U) | (std::uint32_t{bytes[at + 1]} << 16U) |
         (std::uint32_t{bytes[at + 2]} << 8U) | bytes[at + 3];
}

FrameFilter::FrameFilter() : code_{{kLoadByte, 0, 0, kPacketType}, {kJumpEqual, kToTheDrop, 0, PACKET_OTHERHOST}} {}

FrameFilter& FrameFilter::need(std::initializer_list<FrameField> any_of) {
  std::size_t left = any_of.size();
  for (const auto& field : any_of) {
    --left;
    code_.push_back({field.size == FrameField::Size::word ? kLoadWord : kLoadByte, 0, 0, field.at});
    // Equal: past the other fields, of two instructions each. Not equal: to the next one.
    const auto past = static_cast<std::uint8_t>(2 * left);
    code_.push_back({kJumpEqual, past, left == 0 ? kToTheDrop : std::uint8_t{0}, field.value});
  }
  return *this;
}

std::vector<sock_filter> FrameFilter::program() const {
  auto out = code_;
  for (std::size_t i = 0; i < out.size(); ++i) {
    // Jumps count from the next instruction; the drop is behind the one that lets through.
    const auto way = static_cast<std::uint8_t>(out.size() - i);
    if (out[i].jt == kToTheDrop) out[i].jt = way;
    if (out[i].jf == kToTheDrop) out[i].jf = way;
  }
  out.push_back({kFinish, 0, 0, kWholeFrame});
  out.push_back({kFinish, 0, 0, 0});
  return out;
}

}  // namespace plumb::netns
