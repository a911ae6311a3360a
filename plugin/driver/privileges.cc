#include "plugin/driver/privileges.h"

#include <linux/magic.h>
#include <sched.h>
#include <sys/capability.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

namespace plumb::driver {

namespace {

constexpr std::array<cap_value_t, 3> kKeptCapabilities{CAP_NET_ADMIN, CAP_NET_RAW, CAP_SYS_ADMIN};

struct Free {
  void operator()(cap_t caps) const { cap_free(caps); }
};
using Caps = std::unique_ptr<std::remove_pointer_t<cap_t>, Free>;

bool is_kept(cap_value_t value) {
  return std::find(kKeptCapabilities.begin(), kKeptCapabilities.end(), value) != kKeptCapabilities.end();
}

Err failed(const char* what) { return Err{errno_error(errno, std::string("give up privileges: ") + what)}; }

// Whatever the kernel knows, also what is newer than this program's libcap.
Result<void> drop_bounding() {
  for (cap_value_t value = 0; ::prctl(PR_CAPBSET_READ, value, 0, 0, 0) >= 0; ++value) {
    if (is_kept(value) || ::prctl(PR_CAPBSET_READ, value, 0, 0, 0) == 0) continue;
    if (::prctl(PR_CAPBSET_DROP, value, 0, 0, 0) == 0) continue;
    // Without CAP_SETPCAP the set stays as it is. It only bounds what execve(2) could give, and that is nothing once
    // PR_SET_NO_NEW_PRIVS is set (cap_bprm_creds_from_file, security/commoncap.c): this was the second lock of two.
    if (errno == EPERM) return {};
    return failed("the bounding set");
  }
  return {};
}

// Those of the kept ones that are permitted: a process cannot give itself others.
Result<std::vector<cap_value_t>> permitted(const Caps& now) {
  std::vector<cap_value_t> out;
  for (const auto value : kKeptCapabilities) {
    cap_flag_value_t set = CAP_CLEAR;
    if (cap_get_flag(now.get(), value, CAP_PERMITTED, &set) != 0) return failed("read what is permitted");
    if (set == CAP_SET) out.push_back(value);
  }
  return out;
}

Result<void> set_capabilities(const std::vector<cap_value_t>& values) {
  const Caps caps(cap_init());  // has none in any set
  if (!caps) return failed("make a set");
  for (const auto flag : {CAP_PERMITTED, CAP_EFFECTIVE})
    if (!values.empty() && cap_set_flag(caps.get(), flag, static_cast<int>(values.size()), values.data(), CAP_SET) != 0)
      return failed("fill a set");
  if (cap_set_proc(caps.get()) != 0) return failed("set the capabilities");
  return {};
}

Result<bool> is_read_only(const char* path) {
  struct statfs now {};
  if (::statfs(path, &now) != 0) return Err{errno_error(errno, std::string("look at ") + path)};
  return now.f_type == PROC_SUPER_MAGIC && (static_cast<unsigned long>(now.f_flags) & ST_RDONLY) != 0;
}

}  // namespace

Result<void> drop_privileges() {
  const Caps now(cap_get_proc());
  if (!now) return failed("read the capabilities");
  const auto values = TRY(permitted(now));
  // In this order: the bounding set takes CAP_SETPCAP, which the last step gives up.
  TRY(drop_bounding());
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return failed("no new privileges");
  if (::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0) return failed("the ambient set");
  return set_capabilities(values);
}

Result<void> uncover_sysctls() {
  constexpr const char* kBelow = "/proc/sys/net";  // what is written; system containers of LXC mount it writable
  constexpr const char* kCover = "/proc/sys";      // what runc mounts upon itself, read-only
  if (!TRY(is_read_only(kBelow))) return {};
  const auto refused = [](const char* what) {
    Error error = errno_error(errno, std::string("make /proc/sys/net writable: ") + what);
    error.next =
        "the driver needs CAP_SYS_ADMIN and a /proc/sys that can be written: run it on the node itself, as root";
    return Err{std::move(error)};
  };
  if (::unshare(CLONE_NEWNS) != 0) return refused("make a mount namespace");
  // Slaves take what comes and give nothing back: without this the node would lose the mount, too.
  if (::mount("", "/", "", MS_REC | MS_SLAVE, nullptr) != 0) return refused("part the mounts from the node's");
  while (TRY(is_read_only(kBelow)))  // mounts may lie upon each other; the last to go is an error
    if (::umount2(kCover, MNT_DETACH | UMOUNT_NOFOLLOW) != 0) return refused("unmount /proc/sys");
  return {};
}

}  // namespace plumb::driver
