// The words of a packet filter (classic BPF, linux/filter.h), so that an unrelated frame of a busy LAN does not wake
// us.
//
// For this layer only. Threads: values. Privilege: none.
#pragma once

#include <linux/filter.h>

#include <cstddef>
#include <cstdint>
#include <span>

namespace plumb::netns::frame_filter {

constexpr std::uint16_t load_word = BPF_LD | BPF_W | BPF_ABS;
constexpr std::uint16_t load_byte = BPF_LD | BPF_B | BPF_ABS;
constexpr std::uint16_t jump_equal = BPF_JMP | BPF_JEQ | BPF_K;
constexpr std::uint16_t finish = BPF_RET | BPF_K;
constexpr std::uint32_t whole_frame = 0xffff;

// A frame of another VLAN has lost its tag when a socket for one protocol sees it; what is left is that the kernel
// calls it somebody else's (__netif_receive_skb_core, net/core/dev.c). A priority tag, number 0, is our LAN's and is
// not touched by this. Nothing that we want to hear is sent to another host's MAC.
constexpr std::uint32_t packet_type = static_cast<std::uint32_t>(SKF_AD_OFF + SKF_AD_PKTTYPE);

// Four bytes of an address, as a filter compares them.
[[nodiscard]] inline std::uint32_t word(std::span<const std::uint8_t> bytes, std::size_t at) {
  return (std::uint32_t{bytes[at]} << 24U) | (std::uint32_t{bytes[at + 1]} << 16U) |
         (std::uint32_t{bytes[at + 2]} << 8U) | bytes[at + 3];
}

}  // namespace plumb::netns::frame_filter
