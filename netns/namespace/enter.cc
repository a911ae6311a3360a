#include "netns/namespace/enter.h"

#include <sched.h>

#include <cerrno>
#include <system_error>
#include <thread>

namespace plumb::netns {

namespace {

Err refusal(int err, const Namespace& ns) {
  auto error = errno_error(err, "enter the network namespace net:[" + std::to_string(ns.id().ino) + "]");
  if (err == EPERM) error.next = "Run as root, or with CAP_SYS_ADMIN";
  return Err{std::move(error)};
}

}  // namespace

Result<void> enter(const Namespace& ns) {
  if (::setns(ns.fd(), CLONE_NEWNET) != 0) return refusal(errno, ns);
  return {};
}

Result<void> detail::run_in(const Namespace& ns, const std::function<void()>& function) {
  if (ns.is_current()) {
    function();
    return {};
  }
  int err = 0;
  try {
    std::thread([&] {
      if (::setns(ns.fd(), CLONE_NEWNET) != 0)
        err = errno;
      else
        function();
    }).join();
  } catch (const std::system_error& e) {
    return Err{errno_error(e.code().value(), "enter a network namespace: start a thread")};
  }
  if (err != 0) return refusal(err, ns);
  return {};
}

}  // namespace plumb::netns
