// Text as a person is shown it, and as words are compared.
//
// Threads: pure functions. Privilege: none.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace plumb {

// ASCII lower case, as node names are compared.
[[nodiscard]] std::string lower_case(std::string_view text);

// The parts between the signs, empty ones too: at least one.
[[nodiscard]] std::vector<std::string_view> split_at(std::string_view text, char sign);

// `text` with its control characters and bytes that are not UTF-8 as \xNN (tab, newline and return as \t, \n, \r), so
// that it can be shown on a terminal.
[[nodiscard]] std::string printable(std::string_view text);
// `text` in double quotes, printable, and cut after 80 bytes. Not called `quoted`: std::quoted of <iomanip> would be
// found beside it, by argument-dependent lookup.
[[nodiscard]] std::string in_quotes(std::string_view text);

}  // namespace plumb
