// Reading the engine's JSON without exceptions: a missing field, or one of another type, reads as its empty value.
//
// Threads: pure. Privilege: none. Included by .cc files only: the library's header is slow to compile.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "specs/value/result.h"

namespace plumb::docker {

using Json = nlohmann::json;

// The begin of what was no JSON, in quotes and on one line, for an error's sentence; "it is empty" for nothing.
[[nodiscard]] std::string beginning_of(std::string_view text);

// What was read of an answer; its error says who has answered, and what to do.
template <typename T>
[[nodiscard]] Result<T> answered(Result<T> decoded, const std::string& place) {
  if (decoded) return decoded;
  decoded.error().what = place + ": " + decoded.error().what;
  if (decoded.error().next.empty()) decoded.error().next = "See the engine's log, and what stands before its socket.";
  return decoded;
}

// The JSON object in `text`. Errors: `failed`, with `what` ("read container") and the beginning of the text.
[[nodiscard]] Result<Json> parse_object(std::string_view text, std::string_view what);
// The same for an array.
[[nodiscard]] Result<Json> parse_array(std::string_view text, std::string_view what);

// The member, or a null value.
[[nodiscard]] const Json& member(const Json& object, const char* name);
[[nodiscard]] std::string text_of(const Json& object, const char* name);
[[nodiscard]] std::int64_t number_of(const Json& object, const char* name);
[[nodiscard]] bool flag_of(const Json& object, const char* name);
[[nodiscard]] std::vector<std::string> texts_of(const Json& object, const char* name);
[[nodiscard]] std::map<std::string, std::string> pairs_of(const Json& object, const char* name);

// The text of `json`; bytes that are not UTF-8 become U+FFFD.
[[nodiscard]] std::string dump(const Json& json);

}  // namespace plumb::docker
