// ListeningSocket: the unix socket of a daemon: systemd's, which stays, or one of its own, which goes with it.
//
// Threads: one at a time. Privilege: that of making the socket.
#pragma once

#include <string>

#include "specs/value/result.h"
#include "specs/value/unique_fd.h"

namespace plumb {

// A socket that listens at `path`, which only its owner may ever connect to (0600). Folders that are missing are made
// (0755). A socket that a dead server left there is replaced, after connect(2) found nobody. Errors: exists (somebody
// listens there, or it is no socket), usage (the path is too long), permission.
[[nodiscard]] Result<UniqueFd> listen_on(const std::string& path);

class ListeningSocket {
 public:
  // `inherited`, where there is one (plugin/daemon/activation.h); else listen_on(path), which is removed again with
  // this object. Errors: those of listen_on().
  [[nodiscard]] static Result<ListeningSocket> open(UniqueFd inherited, const std::string& path);
  ListeningSocket(ListeningSocket&& other) noexcept;
  ListeningSocket& operator=(ListeningSocket&&) = delete;
  ~ListeningSocket();

  // For who serves it; this object still removes the path.
  [[nodiscard]] UniqueFd take() { return std::move(fd_); }

 private:
  ListeningSocket(UniqueFd fd, std::string path);
  UniqueFd fd_;
  std::string path_;  // of one of its own
};

}  // namespace plumb
