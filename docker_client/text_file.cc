#include "docker_client/text_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "specs/value/unique_fd.h"

namespace plumb::docker {

Result<std::string> read_text_file(const std::string& path, std::string_view operation) {
  constexpr std::size_t kLimit = std::size_t{1} << 20U;
  // Not blocking: the path may be a FIFO that nobody writes to.
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd) return Err{errno_error(errno, operation)};
  std::string text;
  std::array<char, 4096> buffer{};
  for (;;) {
    const ssize_t got = ::read(fd.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Err{errno_error(errno, operation)};
    if (got == 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(got));
    if (text.size() > kLimit) return Err{ErrorKind::failed, std::string(operation) + ": the file is over 1 MiB"};
  }
}

}  // namespace plumb::docker
