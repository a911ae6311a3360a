// What texts for a terminal are made of: columns and colours.
//
// Threads: pure. Privilege: none.
#pragma once

#include <cstddef>
#include <string>

namespace plumb {

// Ends what an SGR sequence began (ECMA-48 8.3.117).
inline constexpr const char* kReset = "\033[0m";

// With spaces behind it, up to `width` bytes; a longer text stays as it is.
[[nodiscard]] inline std::string padded(std::string text, std::size_t width) {
  if (text.size() < width) text.append(width - text.size(), ' ');
  return text;
}

}  // namespace plumb
