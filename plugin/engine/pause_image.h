// The built-in pause image: a static program of a few lines, packed as an image archive inside this binary, so that a
// service needs no registry for its namespace's owner.
//
// Threads: pure. Privilege: none.
#pragma once

#include <string_view>

namespace plumb {

// The name and tag that the archive brings into the engine. The tag changes whenever the program does.
inline constexpr const char* kPauseImageReference = "plumb/pause:1";

// The archive, as `docker save` would write it.
[[nodiscard]] std::string_view pause_image_archive();

}  // namespace plumb
