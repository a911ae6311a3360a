// Notification by sd_notify(3), both sides of it: this process tells the service manager that started it, and hears
// from a program that it has started itself.
//
// The protocol is a datagram to the socket that the environment names. Threads: notify_manager() is safe from any, a
// NotifySocket has one at a time; watchdog_interval() changes nothing, but reads the environment. Privilege: none.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "specs/value/result.h"
#include "specs/value/unique_fd.h"

namespace plumb {

// Tells the service manager "READY=1", "STATUS=...", "WATCHDOG=1" or "STOPPING=1", where there is one. Errors: it
// cannot be told.
[[nodiscard]] Result<void> notify_manager(std::string_view state);

// Half of the time after which systemd takes this process for dead (sd_watchdog_enabled(3)); none where it does not.
[[nodiscard]] std::optional<std::chrono::milliseconds> watchdog_interval();

// Where a program says that it is ready, if NOTIFY_SOCKET=PATH is in its environment. The path is removed with it.
class NotifySocket {
 public:
  // What is at the path is replaced. Errors: spec (the path is too long), the kernel's.
  [[nodiscard]] static Result<NotifySocket> bind(const std::string& path);
  NotifySocket(NotifySocket&& other) noexcept;
  NotifySocket& operator=(NotifySocket&&) = delete;
  ~NotifySocket();

  [[nodiscard]] int fd() const { return fd_.get(); }  // readable when something was said
  // Whether what was said is READY=1. Never waits.
  [[nodiscard]] bool says_ready() const;

 private:
  NotifySocket(UniqueFd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}
  UniqueFd fd_;
  std::string path_;
};

}  // namespace plumb
