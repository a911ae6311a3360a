// Spelling: the known name that a mistyped one most likely stands for.
//
// Threads: pure functions. Privilege: none.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace plumb {

// The number of single-byte insertions, deletions, replacements and swaps of neighbours between two words (optimal
// string alignment), without regard to ASCII case.
[[nodiscard]] std::size_t spelling_distance(std::string_view a, std::string_view b);

// The known names near enough to `word` to be what was meant, nearest first, at most `limit`. Empty when none is near.
[[nodiscard]] std::vector<std::string> nearest_names(std::string_view word, std::span<const std::string> known,
                                                     std::size_t limit);

// `did you mean "x"?` for the nearest known name, or an empty string.
[[nodiscard]] std::string did_you_mean(std::string_view word, std::span<const std::string> known);

}  // namespace plumb
