// FrameFilter: a packet filter (classic BPF, linux/filter.h), so that an unrelated frame of a busy LAN does not wake
// us. Pure.
//
// For this layer only. Threads: plain values. Privilege: none.
#pragma once

#include <linux/filter.h>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <vector>

namespace plumb::netns {

// What a frame has to have at `at`, in bytes from its start: one byte, or four in network order.
struct FrameField {
  enum class Size { byte, word };
  Size size = Size::byte;
  std::uint32_t at = 0;
  std::uint32_t value = 0;
};

// Four of the bytes, as a filter compares them. Precondition: they are there.
[[nodiscard]] std::uint32_t word_at(std::span<const std::uint8_t> bytes, std::size_t at);

class FrameFilter {
 public:
  // Lets through what is sent to us or to many, of the LAN itself. A frame of another VLAN has lost its tag when a
  // socket for one protocol sees it; what is left is that the kernel calls it somebody else's
  // (__netif_receive_skb_core, net/core/dev.c). A priority tag, number 0, is our LAN's and is not touched by this.
  // Nothing that we want to hear is sent to another host's MAC.
  FrameFilter();

  // Lets through only what has one of the fields, too.
  FrameFilter& need(std::initializer_list<FrameField> any_of);

  // What setsockopt(2) SO_ATTACH_FILTER takes.
  [[nodiscard]] std::vector<sock_filter> program() const;

 private:
  std::vector<sock_filter> code_;
};

}  // namespace plumb::netns
