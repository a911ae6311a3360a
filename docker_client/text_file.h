// A small text file, read whole.
//
// Threads: pure but for reading. Privilege: to read the file.
#pragma once

#include <string>
#include <string_view>

#include "specs/value/result.h"

namespace plumb::docker {

// At most 1 MiB. Errors: by errno, as "`operation`: reason"; `failed` when it is bigger.
[[nodiscard]] Result<std::string> read_text_file(const std::string& path, std::string_view operation);

}  // namespace plumb::docker
