// LinkWatch: what happens to the devices of a namespace, and to what is on them, as the kernel tells it (RTMGRP_LINK,
// rtnetlink(7)), for who waits for many of them at once.
//
// Threads: one at a time. Privilege: CAP_SYS_ADMIN to enter another namespace.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "netns/namespace/namespace.h"
#include "specs/value/ip.h"
#include "specs/value/result.h"
#include "specs/value/unique_fd.h"

namespace plumb::netns {

struct LinkChange {
  int index = 0;
  std::string name;
  bool gone = false;                // removed, or moved to another namespace
  bool carrier = false;             // up, and its lower layer too (IFF_LOWER_UP)
  std::uint32_t carrier_downs = 0;  // so often it was lost (IFLA_CARRIER_DOWN_COUNT): flaps send no event of their own
};

// An address of a device, or a route that goes out by it, came, changed or went.
struct AddressChange {
  std::optional<IpAddress> address;  // of a route: where to; nothing: the default route
  int index = 0;                     // of the device; 0: a route by none, or by several
};

class LinkWatch {
 public:
  // Hears of links from now on; with `addresses` or `routes` (unicast, but for those of the kernel's table for the
  // node itself) of these, too. The socket keeps the namespace alive. Errors: permission, EMFILE.
  [[nodiscard]] static Result<LinkWatch> open(const Namespace& ns, bool addresses = false, bool routes = false);

  // Readable when something has changed.
  [[nodiscard]] int fd() const { return fd_.get(); }

  struct Heard {
    std::vector<LinkChange> changes;
    std::vector<std::string> forwarding;  // ports of bridges that forward (IFLA_BRPORT_STATE), whenever one changes
    std::vector<AddressChange> addresses;
    bool lost = false;  // there was more than the socket could hold (ENOBUFS): look at the state afresh
  };
  // What there is to read; never blocks.
  [[nodiscard]] Heard read();

 private:
  explicit LinkWatch(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

}  // namespace plumb::netns
