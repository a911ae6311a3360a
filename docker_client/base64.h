// Base64 (RFC 4648): what a registry login is written in.
//
// Threads: pure. Privilege: none.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace plumb::docker {

// RFC 4648 section 5 (the URL alphabet), padded.
[[nodiscard]] std::string base64url_encode(std::string_view bytes);
// RFC 4648 section 4, with or without padding; nullopt for anything else.
[[nodiscard]] std::optional<std::string> base64_decode(std::string_view text);

}  // namespace plumb::docker
