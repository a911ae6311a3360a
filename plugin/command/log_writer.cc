#include "plugin/command/log_writer.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>

namespace plumb {

using docker::LogOutput;

namespace {

// A longer line is cut in two: nobody could read it, and memory has an end.
constexpr std::size_t kMostOfALine = std::size_t{1} << 20U;

std::size_t index_of(LogOutput output) { return output == LogOutput::out ? 0 : 1; }

}  // namespace

Result<void> LogOutputs::write(LogOutput output, std::string_view text) {
  const int fd = output == LogOutput::out ? STDOUT_FILENO : STDERR_FILENO;
  const std::lock_guard lock(mutex_);
  while (!text.empty()) {
    const auto written = ::write(fd, text.data(), text.size());
    if (written >= 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EAGAIN) {
      pollfd entry{fd, POLLOUT, 0};  // somebody has made the terminal or the pipe non-blocking
      ::poll(&entry, 1, -1);
    } else if (errno != EINTR) {
      return Err{errno_error(errno, fd == STDOUT_FILENO ? "write to standard output" : "write to standard error")};
    }
  }
  return {};
}

Result<void> LogLines::take(LogOutput output, std::string_view piece) {
  const std::size_t i = index_of(output);
  if (marks_[i].empty()) return outputs_.write(output, piece);
  const auto last = piece.rfind('\n');
  if (last == std::string_view::npos) {
    begun_[i] += piece;
    if (begun_[i].size() < kMostOfALine) return {};
    begun_[i] += '\n';
    const std::string line = std::move(begun_[i]);
    begun_[i].clear();
    return flush(output, line);
  }
  const std::string whole = begun_[i].append(piece.substr(0, last + 1));
  begun_[i] = piece.substr(last + 1);
  return flush(output, whole);
}

Result<void> LogLines::finish() {
  for (const LogOutput output : {LogOutput::out, LogOutput::err}) {
    auto& begun = begun_[index_of(output)];
    if (begun.empty()) continue;
    const std::string line = std::move(begun) + "\n";
    begun.clear();
    TRY(flush(output, line));
  }
  return {};
}

// All of them in one write, so that lines of other containers come between whole pieces.
Result<void> LogLines::flush(LogOutput output, std::string_view lines) {
  std::string text;
  text.reserve(lines.size() * 2);
  while (!lines.empty()) {
    const auto end = lines.find('\n');
    auto line = lines.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);  // a terminal's end of a line
    text.append(marks_[index_of(output)]).append(line).append("\n");
    lines.remove_prefix(end + 1);
  }
  return outputs_.write(output, text);
}

}  // namespace plumb
