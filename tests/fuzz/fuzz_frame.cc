// Any frame from the LAN: decoding ends, and what is decoded as a hello says the same after another way through a
// frame.
#include <cstddef>
#include <cstdint>
#include <span>

#include "netns/wire/arp.h"
#include "netns/wire/claim.h"
#include "netns/wire/handover_message.h"
#include "netns/wire/hello_message.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace plumb::netns;
  const std::span frame(data, size);
  if (const auto claim = claim_in(frame);
      claim && claim->address.is_any() && claim->by == AddressClaim::By::use && !claim->address.is_v6())
    __builtin_trap();
  if (const auto message = decode_handover(frame))
    if (decode_handover(encode_handover(zero_mac(), *message)) != message) __builtin_trap();
  if (const auto hello = decode_hello(frame)) {
    HelloMessage again{hello->node, {}};
    for (const auto& one : encode_hello(zero_mac(), hello->node, hello->entries)) {
      const auto part = decode_hello(one);
      if (!part) __builtin_trap();
      again.entries.insert(again.entries.end(), part->entries.begin(), part->entries.end());
    }
    if (again != *hello) __builtin_trap();
  }
  return 0;
}
