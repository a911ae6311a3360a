#include "netns/wire/plumb_frame.h"

#include <algorithm>
#include <array>

#include "netns/wire/arp.h"

namespace plumb::netns {

namespace {

constexpr std::size_t kSmallestFrame = 60;
constexpr std::array<std::uint8_t, 4> kMagic{'P', 'L', 'M', 'B'};
constexpr std::size_t kLongestName = 255;

}  // namespace

Frame begin_plumb_frame(const Mac& sender, PlumbKind kind) {
  Frame out;
  append(out, broadcast_mac().bytes());
  append(out, sender.bytes());
  out.push_back(kPlumbEthertype >> 8U);
  out.push_back(kPlumbEthertype & 0xffU);
  append(out, kMagic);
  out.push_back(static_cast<std::uint8_t>(kind));
  return out;
}

bool is_plumb_frame(std::span<const std::uint8_t> frame, PlumbKind kind) {
  return frame.size() >= kPlumbHead && frame[12] == kPlumbEthertype >> 8U && frame[13] == (kPlumbEthertype & 0xffU) &&
         std::equal(kMagic.begin(), kMagic.end(), frame.begin() + kEthernetSize) &&
         frame[kPlumbHead - 1] == static_cast<std::uint8_t>(kind);
}

FrameFilter plumb_filter() {
  FrameFilter out;
  out.need({{FrameField::Size::word, kEthernetSize, word_at(kMagic, 0)}});
  return out;
}

void append_name(Frame& frame, std::string_view name) {
  name = name.substr(0, kLongestName);
  frame.push_back(static_cast<std::uint8_t>(name.size()));
  frame.insert(frame.end(), name.begin(), name.end());
}

void append_number(Frame& frame, std::uint64_t number) {
  for (unsigned shift = 64; shift > 0; shift -= 8) frame.push_back(static_cast<std::uint8_t>(number >> (shift - 8)));
}

std::uint64_t number_at(std::span<const std::uint8_t> bytes, std::size_t at) {
  std::uint64_t out = 0;
  for (const auto byte : bytes.subspan(at, sizeof out)) out = out << 8U | byte;
  return out;
}

void pad(Frame& frame) { frame.resize(std::max(frame.size(), kSmallestFrame)); }

}  // namespace plumb::netns
