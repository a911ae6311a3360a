#include "plugin/node/process_stat.h"

#include <fstream>
#include <sstream>
#include <string>

namespace plumb {

namespace {

// Of the fields, counted from 1 as proc(5) does, the third is the first behind the name, which may hold anything.
constexpr int kFirstBehindName = 3;
constexpr int kStartTime = 22;

}  // namespace

std::optional<std::uint64_t> start_ticks_of(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  if (!std::getline(file, line)) return std::nullopt;
  const auto name_end = line.rfind(')');
  if (name_end == std::string::npos) return std::nullopt;
  std::istringstream fields(line.substr(name_end + 1));
  std::string skipped;
  for (int field = kFirstBehindName; field < kStartTime; ++field) fields >> skipped;
  std::uint64_t ticks = 0;
  return fields >> ticks ? std::optional(ticks) : std::nullopt;
}

}  // namespace plumb
