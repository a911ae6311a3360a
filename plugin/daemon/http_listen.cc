#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "plugin/daemon/http_server.h"

namespace plumb::driver {

namespace {

Result<sockaddr_un> address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path || path.find('\0') != std::string::npos)
    return Err{ErrorKind::usage, "listen at '" + path + "': the path of a socket has 1 to 107 bytes",
               "choose a shorter path"};
  std::memcpy(static_cast<char*>(address.sun_path), path.c_str(), path.size());
  return address;
}

// Makes what is missing of the folders of `path`. At boot there is no /run/docker yet.
Result<void> make_folders(const std::string& path) {
  for (std::size_t end = path.find('/', 1); end != std::string::npos; end = path.find('/', end + 1)) {
    const std::string folder = path.substr(0, end);
    if (::mkdir(folder.c_str(), 0755) == 0) {
      // The umask may have taken rights away, and the engine need not be root.
      if (::chmod(folder.c_str(), 0755) != 0) return Err(errno_error(errno, "set the rights of the folder " + folder));
    } else if (errno != EEXIST) {
      return Err(errno_error(errno, "make the folder " + folder));
    }
  }
  return {};
}

Err in_the_way(const std::string& path, const std::string& what) {
  return Err{ErrorKind::exists, "listen at " + path + ": " + what,
             "stop what listens there ('ss -xlp' shows it), or listen at another path"};
}

// Removes a socket that nobody listens on. A connect(2) to a file that is no socket is refused as well, so that is
// asked first; a full backlog (EAGAIN) or another type of socket (EPROTOTYPE) is somebody's.
Result<void> clear_the_way(const std::string& path, const sockaddr_un& address) {
  struct stat there {};
  if (::lstat(path.c_str(), &there) != 0) {
    if (errno == ENOENT) return {};
    return Err(errno_error(errno, "look for a socket at " + path));
  }
  if (!S_ISSOCK(there.st_mode))
    return Err{ErrorKind::exists, "listen at " + path + ": what is there is no socket",
               "move it away, or listen at another path"};
  const UniqueFd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!probe) return Err(errno_error(errno, "make a socket"));
  if (::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0)
    return in_the_way(path, "somebody listens there");
  if (errno == ENOENT) return {};
  if (errno == EACCES || errno == EPERM) return Err(errno_error(errno, "see who listens at " + path));
  if (errno != ECONNREFUSED) return in_the_way(path, "somebody has that socket");
  if (::unlink(path.c_str()) != 0 && errno != ENOENT)
    return Err(errno_error(errno, "remove the socket of a dead server, " + path));
  return {};
}

// Nobody but its owner ever has a right to the file: Linux makes it with the mode of the socket itself less the umask
// (unix_bind), and chmod(2) only gives back to the owner what an odd umask took.
Result<UniqueFd> bind_at(const std::string& path, const sockaddr_un& address) {
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return Err(errno_error(errno, "make a socket"));
  if (::fchmod(fd.get(), 0600) != 0) return Err(errno_error(errno, "set the rights of a socket"));
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    if (errno == EADDRINUSE) return in_the_way(path, "somebody else has just made it");
    return Err(errno_error(errno, "bind a socket to " + path));
  }
  if (::chmod(path.c_str(), 0600) != 0) return Err(errno_error(errno, "set the rights of " + path));
  if (::listen(fd.get(), SOMAXCONN) != 0) return Err(errno_error(errno, "listen at " + path));
  return fd;
}

}  // namespace

Result<UniqueFd> listen_on(const std::string& path) {
  const sockaddr_un address = TRY(address_of(path));
  TRY(make_folders(path));
  const std::size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  // Of two that start at once the second must not take the first's socket, bound but not yet listening, for a dead one.
  const UniqueFd lock(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!lock) return Err(errno_error(errno, "open the folder " + folder));
  while (::flock(lock.get(), LOCK_EX) != 0)
    if (errno != EINTR) return Err(errno_error(errno, "lock the folder " + folder));
  TRY(clear_the_way(path, address));
  return bind_at(path, address);
}

}  // namespace plumb::driver
