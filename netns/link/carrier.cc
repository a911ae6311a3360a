#include <linux/rtnetlink.h>

#include <cerrno>

#include "netns/link/link.h"
#include "netns/namespace/stop_event.h"
#include "netns/socket/changes.h"

namespace plumb::netns {

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

}  // namespace plumb::netns
