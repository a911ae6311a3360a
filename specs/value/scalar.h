// Scalars: booleans, integers, durations and words, of the text that somebody wrote.
//
// Threads: pure functions. Privilege: none. Every error is ErrorKind::spec; `what` is a sentence that quotes the text
// and `next` says how to write it right, where that is known. No function throws.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "specs/value/result.h"

namespace plumb {

// true/false, yes/no, on/off, 1/0, t/f, y/n, in any case: what the two generations of OpenSVC accept together (om3:
// Go's strconv.ParseBool; agent 2.1: its own list).
[[nodiscard]] Result<bool> parse_bool(std::string_view text);

// A decimal integer within [least, most], without a sign.
[[nodiscard]] Result<unsigned> parse_integer(std::string_view text, unsigned least, unsigned most);

// A duration: numbers with units, added up: "1h30m", "500ms", "1.5s", "2d". Units ms, s, m, h, d, w. A bare integer
// counts seconds. At most ten years; finer than a millisecond is an error, never rounded.
[[nodiscard]] Result<std::chrono::milliseconds> parse_duration(std::string_view text);

// One word of a list and where it begins in the text.
struct Word {
  std::string text;
  std::size_t offset = 0;
};

// Words split as a POSIX shell splits them (XCU 2.2): white space separates, '...' keeps everything, "..." keeps
// everything but \" \\ \$ \` and \newline, a backslash outside quotes keeps the next byte. Nothing is expanded.
// `unterminated` is the offset of a quote without its partner or of a backslash at the end; the words are then not to
// be used.
struct Words {
  std::vector<Word> words;
  std::optional<std::size_t> unterminated;
};
[[nodiscard]] Words split_words(std::string_view text);

}  // namespace plumb
