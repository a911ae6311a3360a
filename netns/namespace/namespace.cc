#include "netns/namespace/namespace.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
extern "C" {  // glibc 2.36 forgot it
#include <sys/pidfd.h>
}
#include <sys/stat.h>
#include <sys/vfs.h>

#include <cerrno>
#include <fstream>
#include <optional>
#include <sstream>
#include <system_error>
#include <thread>

namespace plumb::netns {

namespace {

constexpr const char* kOwnPath = "/proc/thread-self/ns/net";

bool ended(int pidfd) {
  pollfd entry{pidfd, POLLIN, 0};
  return ::poll(&entry, 1, 0) != 0;  // readable once the process has ended; an error must not count as alive
}

Err no_process(pid_t pid) {
  return Err{ErrorKind::not_found,
             "open the network namespace of process " + std::to_string(pid) + ": there is no such process",
             {},
             ESRCH};
}

// A path as mountinfo writes it: space, tab, newline and backslash are three octal digits (seq_path, fs/seq_file.c).
std::string unescaped(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 3 >= text.size()) {
      out += text[i];
      continue;
    }
    out += static_cast<char>(std::stoi(text.substr(i + 1, 3), nullptr, 8));
    i += 3;
  }
  return out;
}

}  // namespace

Result<Namespace> Namespace::adopt(UniqueFd fd, const std::string& what) {
  struct statfs fs {};
  if (::fstatfs(fd.get(), &fs) != 0) return Err{errno_error(errno, what)};
  if (fs.f_type != NSFS_MAGIC)
    return Err{ErrorKind::failed, what + ": the file is no namespace",
               "If an engine runs in a mount namespace of its own, its namespaces can be seen only there: use the "
               "process id instead",
               EINVAL};
  if (::ioctl(fd.get(), NS_GET_NSTYPE) != CLONE_NEWNET)
    return Err{ErrorKind::failed, what + ": it is a namespace, but not a network namespace", {}, EINVAL};
  struct stat st {};
  if (::fstat(fd.get(), &st) != 0) return Err{errno_error(errno, what)};
  return Namespace(std::move(fd), NamespaceId{st.st_dev, st.st_ino});
}

Result<Namespace> Namespace::current() { return from_path(kOwnPath); }

Result<Namespace> Namespace::create() {
  std::optional<Result<Namespace>> made;
  try {
    std::thread([&made] {
      if (::unshare(CLONE_NEWNET) != 0)
        made = Err{errno_error(errno, "make a network namespace")};
      else
        made = current();
    }).join();
  } catch (const std::system_error& e) {
    return Err{errno_error(e.code().value(), "make a network namespace: start a thread")};
  }
  return *std::move(made);
}

Result<Namespace> Namespace::of_process(pid_t pid) {
  // The order is what makes it safe: the pidfd holds the identity, the namespace is opened by number, and if the
  // process is alive afterwards the number was its own all the time.
  const UniqueFd process(::pidfd_open(pid, 0));
  if (!process) {
    if (errno == ESRCH || errno == EINVAL) return no_process(pid);
    return Err{errno_error(errno, "open process " + std::to_string(pid))};
  }
  auto ns = from_path("/proc/" + std::to_string(pid) + "/ns/net");
  if (ended(process.get())) return no_process(pid);
  return ns;
}

Result<Namespace> Namespace::from_path(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  const auto what = [&] { return "open the network namespace " + path; };
  if (!fd) return Err{errno_error(errno, what())};
  return adopt(std::move(fd), what());
}

Result<std::vector<Namespace>> Namespace::bound() {
  std::vector<Namespace> out;
  std::ifstream file("/proc/thread-self/mountinfo");
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string unused;
    std::string root;
    std::string path;
    words >> unused >> unused >> unused >> root >> path;
    if (!root.starts_with("net:[")) continue;
    auto ns = from_path(unescaped(path));
    if (ns)
      out.push_back(*std::move(ns));
    else if (ns.error().kind != ErrorKind::not_found)
      return Err{ns.error()};
  }
  return out;
}

Result<Namespace> Namespace::dup() const {
  UniqueFd fd(::fcntl(fd_.get(), F_DUPFD_CLOEXEC, 3));
  if (!fd) return Err{errno_error(errno, "duplicate a network namespace's descriptor")};
  return Namespace(std::move(fd), id_);
}

bool Namespace::is_current() const {
  struct stat st {};
  return ::stat(kOwnPath, &st) == 0 && NamespaceId{st.st_dev, st.st_ino} == id_;
}

}  // namespace plumb::netns
