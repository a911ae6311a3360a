#include "plugin/driver/mac_choice.h"

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cstdint>

#include "specs/value/fnv.h"

namespace plumb::driver {

namespace {

std::uint32_t digest(std::span<const std::uint8_t> bytes) {
  std::uint32_t sum = kFnv32;
  for (const std::uint8_t byte : bytes) sum = fnv1a(sum, byte);
  return sum;
}

}  // namespace

Mac choose_mac(MacPolicy policy, const std::vector<Cidr>& addresses) {
  std::array<std::uint8_t, 6> bytes{0x02, 0x70};
  if (policy == MacPolicy::from_ip && !addresses.empty()) {
    const auto address = addresses.front().address();
    if (!address.is_v6()) {
      std::copy(address.bytes().begin(), address.bytes().end(), bytes.begin() + 2);
    } else {
      const auto sum = digest(address.bytes());
      for (unsigned i = 0; i < 4; ++i) bytes.at(2 + i) = static_cast<std::uint8_t>(sum >> (8 * i));
    }
  } else {
    // Never short for so few bytes, and never fails once the kernel has booted (getrandom(2)).
    while (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    }
    bytes[0] = static_cast<std::uint8_t>((bytes[0] | 0x02U) & 0xfeU);
  }
  return Mac::from_bytes(bytes).value();
}

}  // namespace plumb::driver
