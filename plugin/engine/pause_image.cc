#include "plugin/engine/pause_image.h"

#include <cstddef>

extern "C" {
extern const char plumb_pause_image_begin[];  // NOLINT: laid down by plugin/engine/pause/archive.S
extern const char plumb_pause_image_end[];    // NOLINT
}

namespace plumb {

std::string_view pause_image_archive() {
  const char* begin = static_cast<const char*>(plumb_pause_image_begin);
  const char* end = static_cast<const char*>(plumb_pause_image_end);
  return {begin, static_cast<std::size_t>(end - begin)};
}

}  // namespace plumb
