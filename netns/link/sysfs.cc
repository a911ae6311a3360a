#include "netns/link/sysfs.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/statvfs.h>

#include <cerrno>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "specs/value/unique_fd.h"

namespace plumb::netns {

namespace {

// A mount below /sys with all that is mounted on it, held while another /sys is put above it.
struct Kept {
  std::string path;
  UniqueFd tree;
};

// The mounts that are right on /sys, as proc_pid_mountinfo(5) lists them: an id, the id of the mount below, the device,
// the root, the path. Of several on one another at /sys only the last is seen.
std::vector<std::string> mounts_on_sys() {
  std::ifstream file("/proc/thread-self/mountinfo");
  std::string sys;
  std::vector<std::string> out;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string id;
    std::string below;
    std::string path;
    std::string unused;
    words >> id >> below >> unused >> unused >> path;
    if (path == "/sys") {
      sys = id;
      out.clear();
    } else if (below == sys && path.starts_with("/sys/")) {
      out.push_back(path);
    }
  }
  return out;
}

}  // namespace

Result<void> show_own_devices() {
  const auto failed = [](const std::string& what) {
    return Err{errno_error(errno, "make a /sys of its own: " + what)};
  };
  if (::unshare(CLONE_NEWNS) != 0) return failed("make a mount namespace");
  if (::mount("", "/", "", MS_SLAVE | MS_REC, nullptr) != 0) return failed("part the mounts from the node's");
  std::vector<Kept> kept;
  for (const auto& path : mounts_on_sys()) {
    UniqueFd tree(::open_tree(AT_FDCWD, path.c_str(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE));
    if (!tree) return failed("keep " + path);
    kept.push_back({path, std::move(tree)});
  }
  struct statvfs now {};
  const bool read_only = ::statvfs("/sys", &now) == 0 && (now.f_flag & ST_RDONLY) != 0;
  unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
  if (read_only) flags |= MS_RDONLY;
  if (::mount("sysfs", "/sys", "sysfs", flags, nullptr) != 0) return failed("mount it");
  for (const auto& one : kept)
    if (::move_mount(one.tree.get(), "", AT_FDCWD, one.path.c_str(), MOVE_MOUNT_F_EMPTY_PATH) != 0)
      return failed("put back " + one.path);
  return {};
}

}  // namespace plumb::netns
