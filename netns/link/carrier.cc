#include "netns/link/carrier.h"

#include <linux/ethtool.h>
#include <linux/if.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "netns/link/link.h"
#include "netns/namespace/stop_event.h"
#include "netns/socket/changes.h"

namespace plumb::netns {

namespace {

// Any socket of the namespace takes device ioctls (sock_do_ioctl, net/socket.c).
Result<bool> ask_link_state(int socket, ifreq& request) {
  ethtool_value value{};
  value.cmd = ETHTOOL_GLINK;
  request.ifr_data = reinterpret_cast<char*>(&value);  // NOLINT: the ioctl's own way
  if (::ioctl(socket, SIOCETHTOOL, &request) != 0)
    return Err{errno_error(errno, "ask device " + std::string(request.ifr_name) + " for its link state")};
  return value.data != 0;
}

}  // namespace

Result<void> wait_carrier(RouteSocket& socket, int index, std::chrono::steady_clock::time_point deadline,
                          std::stop_token stop) {
  const UniqueFd changes = TRY(open_changes(socket.ns(), RTMGRP_LINK));
  const auto event = TRY(StopEvent::open(std::move(stop)));
  for (;;) {
    const auto link = TRY(find_link(socket, index));
    const auto operation =
        "wait for the carrier of device " + (link ? link->name.str() : "number " + std::to_string(index));
    if (!link) return Err{ErrorKind::not_found, operation + ": it is gone", {}, ENODEV};
    if (link->carrier) return {};
    if (TRY(event.wait(changes.get(), deadline, operation)) == StopEvent::Woken::deadline)
      return Err{ErrorKind::timeout, operation + ": it has none", "Check its cable and the port of the switch",
                 ETIMEDOUT};
    drain_changes(changes.get());
  }
}

Result<bool> force_carrier(RouteSocket& socket, const IfName& name) {
  ifreq request{};
  std::memcpy(request.ifr_name, name.c_str(), name.str().size());  // at most 15 bytes: IfName's promise
  return ask_link_state(socket.fd(), request);
}

Result<bool> force_carrier(int socket, int ifindex) {
  ifreq request{};
  request.ifr_ifindex = ifindex;
  if (::ioctl(socket, SIOCGIFNAME, &request) != 0)
    return Err{errno_error(errno, "find device " + std::to_string(ifindex))};
  return ask_link_state(socket, request);
}

}  // namespace plumb::netns
