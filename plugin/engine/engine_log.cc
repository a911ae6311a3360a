#include "plugin/engine/engine_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <fstream>

#include "docker_client/text_file.h"

namespace plumb {

namespace {

// No line of an engine begins so.
constexpr std::string_view kBegin = "-- plumb: ";
// An engine says why it ends in its last lines.
constexpr std::streamoff kTail = 64 * 1024;

std::string all_of(const char* path) { return docker::read_text_file(path, "read").value_or({}); }

// As it was called: /usr/sbin/plumb watch.
std::string own_command() {
  std::string out = all_of("/proc/self/cmdline");
  while (!out.empty() && out.back() == '\0') out.pop_back();
  std::replace_if(
      out.begin(), out.end(), [](unsigned char c) { return c < ' '; }, ' ');
  return out;
}

// By which one finds the unit: /system.slice/plumb-watch.service.
std::string own_group() {
  const std::string all = all_of("/proc/self/cgroup");
  const auto begin = all.find("0::");
  return begin == std::string::npos ? std::string() : all.substr(begin + 3, all.find('\n', begin) - begin - 3);
}

std::string now() {
  const std::time_t seconds = std::time(nullptr);
  std::tm parts{};
  std::array<char, 32> out{};
  ::gmtime_r(&seconds, &parts);
  return {out.data(), std::strftime(out.data(), out.size(), "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

}  // namespace

Result<UniqueFd> begin_engine_log(const std::string& path) {
  UniqueFd log(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640));
  if (!log) return Err{errno_error(errno, "open " + path)};
  const std::string group = own_group();
  note_in_engine_log(log.get(), "the engine is started by process " + std::to_string(::getpid()) + " (" +
                                    own_command() + ")" + (group.empty() ? "" : " in " + group));
  return log;
}

void note_in_engine_log(int log, const std::string& text) {
  const std::string line = std::string(kBegin) + now() + ": " + text + "\n";
  // An engine may run on a disk that is full, too.
  if ([[maybe_unused]] const ssize_t written = ::write(log, line.data(), line.size())) return;
}

std::string last_words_of_engine(const std::string& path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (const std::streamoff size = file.tellg(); size > kTail)
    file.seekg(size - kTail);
  else
    file.seekg(0);
  std::string line;
  std::string last;
  while (std::getline(file, line)) {
    if (line.starts_with(kBegin))
      last.clear();
    else if (!line.empty())
      last = line;
  }
  return last;
}

}  // namespace plumb
