#include "plugin/node/process_stat.h"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <system_error>

namespace plumb {

namespace {

// Of the fields, counted from 1 as proc(5) does, the third is the first behind the name, which may hold anything.
constexpr int kFirstBehindName = 3;
constexpr int kStartTime = 22;

// What stands behind the name; nullopt when there is no such file, or process.
std::optional<std::istringstream> fields_of(const std::filesystem::path& stat) {
  std::ifstream file(stat);
  std::string line;
  if (!std::getline(file, line)) return std::nullopt;
  const auto name_end = line.rfind(')');
  if (name_end == std::string::npos) return std::nullopt;
  return std::istringstream(line.substr(name_end + 1));
}

}  // namespace

std::optional<std::uint64_t> start_ticks_of(pid_t pid) {
  auto fields = fields_of("/proc/" + std::to_string(pid) + "/stat");
  if (!fields) return std::nullopt;
  std::string skipped;
  for (int field = kFirstBehindName; field < kStartTime; ++field) *fields >> skipped;
  std::uint64_t ticks = 0;
  return *fields >> ticks ? std::optional(ticks) : std::nullopt;
}

bool still_runs(pid_t pid, std::uint64_t start_ticks) {
  if (start_ticks_of(pid) != start_ticks) return false;
  std::error_code ec;
  std::filesystem::directory_iterator tasks("/proc/" + std::to_string(pid) + "/task", ec);
  for (const std::filesystem::directory_iterator end; !ec && tasks != end; tasks.increment(ec)) {
    auto fields = fields_of(tasks->path() / "stat");
    char state = 'X';
    if (fields && *fields >> state && state != 'Z' && state != 'X') return true;
  }
  return false;
}

}  // namespace plumb
