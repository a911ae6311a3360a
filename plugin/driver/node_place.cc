#include "plugin/driver/node_place.h"

#include <unistd.h>

#include <array>
#include <fstream>
#include <string>

namespace plumb::driver {

namespace {

// FNV-1a of Fowler, Noll and Vo, with 64 bits.
constexpr std::uint64_t kOffset = 0xcbf2'9ce4'8422'2325U;
constexpr std::uint64_t kPrime = 0x0000'0100'0000'01b3U;

std::uint64_t add(std::uint64_t hash, std::string_view word) {
  for (const char c : word) hash = (hash ^ static_cast<std::uint8_t>(c)) * kPrime;
  return hash * kPrime;  // a zero byte: where the word ends
}

// Its high bits depend too little on the last bytes: the finalizer of SplitMix64 (Steele, Lea, Flood 2014) spreads
// them.
std::uint64_t spread(std::uint64_t hash) {
  hash = (hash ^ (hash >> 30U)) * 0xbf58'476d'1ce4'e5b9U;
  hash = (hash ^ (hash >> 27U)) * 0x94d0'49bb'1331'11ebU;
  return hash ^ (hash >> 31U);
}

}  // namespace

std::uint64_t place_of(std::string_view machine, std::string_view host, std::string_view device) {
  return spread(add(add(add(kOffset, machine), host), device));
}

std::uint64_t node_place(const std::optional<Mac>& mac) {
  std::string machine;
  std::ifstream file("/etc/machine-id");
  std::getline(file, machine);
  std::array<char, 256> host{};  // HOST_NAME_MAX is 64
  if (::gethostname(host.data(), host.size() - 1) != 0) host[0] = '\0';
  return place_of(machine, host.data(), mac ? mac->to_string() : std::string());
}

}  // namespace plumb::driver
