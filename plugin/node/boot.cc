#include "plugin/node/boot.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "specs/value/unique_fd.h"

namespace plumb {

Result<std::string> boot_id() {
  const std::string path = "/proc/sys/kernel/random/boot_id";
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::string text(64, '\0');
  const auto got = fd ? ::read(fd.get(), text.data(), text.size()) : -1;
  if (got <= 0) return Err{errno_error(errno, "read " + path)};
  text.resize(static_cast<std::size_t>(got));
  text.resize(std::min(text.find_last_not_of('\n') + 1, text.size()));
  return text;
}

}  // namespace plumb
