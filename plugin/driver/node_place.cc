#include "plugin/driver/node_place.h"

#include <unistd.h>

#include <array>
#include <fstream>
#include <string>

#include "specs/value/fnv.h"

namespace plumb::driver {

namespace {

std::uint64_t add(std::uint64_t hash, std::string_view word) {
  return fnv1a(fnv1a(hash, word), std::uint8_t{0});  // where the word ends
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
  return spread(add(add(add(kFnv64, machine), host), device));
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
