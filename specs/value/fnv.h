// FNV-1a (Fowler, Noll, Vo; RFC draft-eastlake-fnv): the same in every process and version, whatever library it was
// built with. Against chance and change, not against an attacker.
//
// Threads: pure. Privilege: none.
#pragma once

#include <cstdint>
#include <string_view>

namespace plumb {

inline constexpr std::uint32_t kFnv32 = 0x811c9dc5;
inline constexpr std::uint64_t kFnv64 = 0xcbf29ce484222325;

// The digest that goes on with one more byte; it begins with kFnv32 or kFnv64.
[[nodiscard]] constexpr std::uint32_t fnv1a(std::uint32_t digest, std::uint8_t byte) {
  return (digest ^ byte) * 0x01000193U;
}
[[nodiscard]] constexpr std::uint64_t fnv1a(std::uint64_t digest, std::uint8_t byte) {
  return (digest ^ byte) * 0x00000100000001b3U;
}

template <typename Digest>
[[nodiscard]] constexpr Digest fnv1a(Digest digest, std::string_view text) {
  for (const char c : text) digest = fnv1a(digest, static_cast<std::uint8_t>(c));
  return digest;
}

}  // namespace plumb
