#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "netns/address.h"
#include "netns/enter.h"
#include "netns/stop_event.h"
#include "specs/unique_fd.h"

namespace plumb::netns {

namespace {

// A socket that hears every change of an IPv6 address in the namespace.
Result<UniqueFd> open_notifications(const Namespace& ns) {
  return run_in(ns, []() -> Result<UniqueFd> {
    UniqueFd fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE));
    sockaddr_nl address{};
    address.nl_family = AF_NETLINK;
    address.nl_groups = RTMGRP_IPV6_IFADDR;
    const auto* plain = reinterpret_cast<const sockaddr*>(&address);  // NOLINT: the socket API's own way
    if (!fd || ::bind(fd.get(), plain, sizeof address) != 0)
      return Err{errno_error(errno, "open a netlink socket for address changes")};
    return fd;
  });
}

// Only the fact that something changed matters: the state is asked for afresh, so lost notifications (ENOBUFS) do no
// harm.
void drain(int fd) {
  std::array<char, 8192> buffer{};
  while (::recv(fd, buffer.data(), buffer.size(), 0) >= 0 || errno == ENOBUFS || errno == EINTR) {
  }
}

}  // namespace

Result<void> wait_dad(RouteSocket& socket, int ifindex, const IpAddress& address,
                      std::chrono::steady_clock::time_point deadline, std::stop_token stop) {
  const auto operation = "wait for duplicate address detection of " + address.to_string();
  // Listening starts before the first look, so that no change falls between the two.
  const UniqueFd changes = TRY(open_notifications(socket.ns()));
  const auto event = TRY(StopEvent::open(std::move(stop)));
  for (;;) {
    const auto all = TRY(addresses(socket, ifindex, address.is_v6() ? Family::v6 : Family::v4));
    const auto found =
        std::find_if(all.begin(), all.end(), [&](const Address& a) { return a.cidr.address() == address; });
    if (found == all.end())
      return Err{ErrorKind::not_found, operation + ": the device does not have it", {}, EADDRNOTAVAIL};
    if (found->dadfailed)
      return Err{ErrorKind::conflict, operation + ": another host of the LAN has this address",
                 "Find the other host (its MAC is in the kernel's log) and stop it, or choose another address",
                 EADDRINUSE};
    if (!found->tentative) return {};
    if (TRY(event.wait(changes.get(), deadline, operation)) == StopEvent::Woken::deadline)
      return Err{ErrorKind::timeout, operation + ": it is still tentative",
                 "Detection needs a device that is up and has a carrier", ETIMEDOUT};
    drain(changes.get());
  }
}

}  // namespace plumb::netns
