// What the frames of plumb's own have in common: how they begin, and the numbers in them. Pure.
//
// Broadcast frames of an EtherType that is left to experiments on one LAN (IEEE Std 802-2014 section 9.2.4): they need
// no address, reach whoever is on the LAN that the addresses are on, and pass no router. Nothing proves who sent one:
// on that LAN, anybody can claim an address anyway.
//
// For this layer and its tests. Threads: plain values. Privilege: none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "netns/wire/frame.h"
#include "netns/wire/frame_filter.h"
#include "specs/value/ip.h"

namespace plumb::netns {

constexpr std::uint16_t kPlumbEthertype = 0x88b5;

// The kind of what follows the head. Who does not know one passes over it.
enum class PlumbKind : std::uint8_t { handover = 1, hello = 2 };

// Ethernet's part, "PLMB" and the kind.
constexpr std::size_t kPlumbHead = kEthernetSize + 5;

// A frame with just the head, from `sender` to everybody.
[[nodiscard]] Frame begin_plumb_frame(const Mac& sender, PlumbKind kind);
// Whether it begins with the whole head of that kind, untagged.
[[nodiscard]] bool is_plumb_frame(std::span<const std::uint8_t> frame, PlumbKind kind);
// A filter that lets through what may be plumb's, for more needs.
[[nodiscard]] FrameFilter plumb_filter();

// The name with its length, in one byte, before it. One of more than 255 bytes is cut.
void append_name(Frame& frame, std::string_view name);
// In network order.
void append_number(Frame& frame, std::uint64_t number);
// Precondition: its eight bytes are there.
[[nodiscard]] std::uint64_t number_at(std::span<const std::uint8_t> bytes, std::size_t at);
// Adds what a device would pad a short frame with.
void pad(Frame& frame);

}  // namespace plumb::netns
