// Frame: an Ethernet frame as it is on the wire, put together from front to back. Pure.
//
// For this layer and its tests. Threads: plain values. Privilege: none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "specs/value/ip.h"

namespace plumb::netns {

// Without the checksum at its end (IEEE Std 802.3 section 3.1.1), which the device makes and takes off.
using Frame = std::vector<std::uint8_t>;

// Bytes before what it carries: both MACs and the EtherType, without a tag.
constexpr std::size_t kEthernetSize = 14;

void append(Frame& frame, std::span<const std::uint8_t> bytes);

// Who sent it. Precondition: at least ethernet_size bytes.
[[nodiscard]] Mac frame_sender(std::span<const std::uint8_t> frame);

}  // namespace plumb::netns
