// Utf8: where the characters of a text are.
//
// Threads: a pure function. Privilege: none.
#pragma once

#include <cstddef>
#include <string_view>

namespace plumb {

// Length in bytes of the printable UTF-8 character at `at` (Unicode 15 table 3-7), or 0 when there is none: a byte that
// is not UTF-8, or a control character (C0, DEL, and C1, which some terminals act on).
[[nodiscard]] std::size_t utf8_length(std::string_view text, std::size_t at);

// Whether the byte is not the first of its character: 10xxxxxx.
[[nodiscard]] constexpr bool continues_character(char c) { return (static_cast<unsigned char>(c) & 0xc0U) == 0x80; }

}  // namespace plumb
