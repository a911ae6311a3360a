// Namespace: a network namespace held by a descriptor, so that it cannot become another one behind our back.
//
// Threads: a value; const members may be used from any thread. Privilege: of_process() of another user's process needs
// CAP_SYS_PTRACE (ptrace_may_access, fs/proc/namespaces.c), create() CAP_SYS_ADMIN; the rest none.
#pragma once

#include <sys/types.h>

#include <compare>
#include <string>
#include <vector>

#include "specs/value/result.h"
#include "specs/value/unique_fd.h"

namespace plumb::netns {

// What makes a namespace itself: the device and inode of its nsfs file (ioctl_ns(2)). Unique while somebody holds the
// namespace; an inode number may come back after its namespace died.
struct NamespaceId {
  dev_t dev = 0;
  ino_t ino = 0;
  friend auto operator<=>(const NamespaceId&, const NamespaceId&) = default;
};

class Namespace {
 public:
  // The calling thread's namespace. Errors: /proc is not mounted.
  [[nodiscard]] static Result<Namespace> current();
  // A new, empty namespace (lo, down), made on a thread that ends: the caller's does not change. It lives as long as
  // somebody holds it or a socket or process is in it. Errors: permission.
  [[nodiscard]] static Result<Namespace> create();
  // The namespace of the process `pid` (> 0). Safe against pid reuse: the process that had the pid at the call is the
  // one answered for. Errors: not_found when there is no such process or it died meanwhile, permission.
  [[nodiscard]] static Result<Namespace> of_process(pid_t pid);
  // The namespace bound at `path` ("/run/netns/x", "/var/run/docker/netns/..."). Errors: not_found; failed when the
  // file is no network namespace (an engine in a private mount namespace shows its own as plain empty files).
  [[nodiscard]] static Result<Namespace> from_path(const std::string& path);

  // Those that are bound to a file in the calling thread's mount namespace (proc_pid_mountinfo(5)): such a one lives
  // on, and the kernel answers for its addresses, when no process is in it any more. One that is bound twice may come
  // twice. Errors: one could not be opened; one that was unbound meanwhile is left out.
  [[nodiscard]] static Result<std::vector<Namespace>> bound();

  // A second owner of the same namespace. Errors: EMFILE.
  [[nodiscard]] Result<Namespace> dup() const;
  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] NamespaceId id() const { return id_; }
  // Whether the calling thread is in this namespace. False when that cannot be told.
  [[nodiscard]] bool is_current() const;

 private:
  Namespace(UniqueFd fd, NamespaceId id) : fd_(std::move(fd)), id_(id) {}
  static Result<Namespace> adopt(UniqueFd fd, const std::string& what);

  UniqueFd fd_;
  NamespaceId id_;
};

// Whether both are one namespace.
[[nodiscard]] inline bool same(const Namespace& a, const Namespace& b) { return a.id() == b.id(); }

}  // namespace plumb::netns
