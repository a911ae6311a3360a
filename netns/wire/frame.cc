#include "netns/wire/frame.h"

namespace plumb::netns {

void append(Frame& frame, std::span<const std::uint8_t> bytes) {
  frame.insert(frame.end(), bytes.begin(), bytes.end());
}

Mac frame_sender(std::span<const std::uint8_t> frame) { return *Mac::from_bytes(frame.subspan(6, 6)); }

}  // namespace plumb::netns
