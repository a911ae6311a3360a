#include "plugin/node/cgroup.h"

#include <algorithm>
#include <fstream>

namespace plumb {

namespace {

// Version 2, and of version 1 some that every engine uses.
constexpr const char* kMounts[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified", "/sys/fs/cgroup/systemd",
                                   "/sys/fs/cgroup/pids"};
constexpr const char* kFreezer = "/sys/fs/cgroup/freezer";

}  // namespace

bool is_populated(const std::string& path) {
  return std::any_of(std::begin(kMounts), std::end(kMounts), [&](const char* mount) {
    std::string line;
    std::ifstream events(mount + path + "/cgroup.events");
    while (std::getline(events, line))
      if (line == "populated 1") return true;
    std::ifstream procs(mount + path + "/cgroup.procs");
    return static_cast<bool>(std::getline(procs, line));
  });
}

std::optional<bool> is_frozen(const std::string& path) {
  std::string line;
  std::ifstream freezer(kFreezer + path + "/freezer.state");
  if (std::getline(freezer, line)) return line != "THAWED";
  for (const char* mount : kMounts) {
    std::ifstream events(mount + path + "/cgroup.events");
    while (std::getline(events, line))
      if (line.starts_with("frozen ")) return line != "frozen 0";
  }
  return std::nullopt;
}

}  // namespace plumb
