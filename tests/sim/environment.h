// What a run of the simulators is told by the environment.
//
// Threads: none that sets a variable. Privilege: none.
#pragma once

#include <cstdint>
#include <cstdlib>

namespace plumb::sim {

[[nodiscard]] inline bool is_set(const char* variable) {
  return std::getenv(variable) != nullptr;  // NOLINT(concurrency-mt-unsafe): nobody sets one
}

[[nodiscard]] inline std::uint64_t number(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);  // NOLINT(concurrency-mt-unsafe): nobody sets one
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

}  // namespace plumb::sim
