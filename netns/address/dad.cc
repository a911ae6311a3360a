#include <linux/rtnetlink.h>

#include <algorithm>
#include <cerrno>

#include "netns/address/address.h"
#include "netns/namespace/stop_event.h"
#include "netns/socket/changes.h"

namespace plumb::netns {

Result<void> wait_dad(RouteSocket& socket, int ifindex, const IpAddress& address,
                      std::chrono::steady_clock::time_point deadline, std::stop_token stop) {
  const auto operation = "wait for duplicate address detection of " + address.to_string();
  // Listening starts before the first look, so that no change falls between the two.
  const UniqueFd changes = TRY(open_changes(socket.ns(), RTMGRP_IPV6_IFADDR));
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
    drain_changes(changes.get());
  }
}

}  // namespace plumb::netns
