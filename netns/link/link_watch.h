// LinkWatch: what happens to the devices of a namespace, as the kernel tells it (RTMGRP_LINK, rtnetlink(7)), for who
// waits for many of them at once.
//
// Threads: one at a time. Privilege: CAP_SYS_ADMIN to enter another namespace.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "netns/namespace/namespace.h"
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

class LinkWatch {
 public:
  // Hears of links from now on; with `addresses` or `routes` it wakes up for these, too, without telling which. The
  // socket keeps the namespace alive. Errors: permission, EMFILE.
  [[nodiscard]] static Result<LinkWatch> open(const Namespace& ns, bool addresses = false, bool routes = false);

  // Readable when something has changed.
  [[nodiscard]] int fd() const { return fd_.get(); }

  struct Heard {
    std::vector<LinkChange> changes;
    std::vector<std::string> forwarding;  // ports of bridges that forward (IFLA_BRPORT_STATE), whenever one changes
    bool others = false;                  // something changed that is no link
    bool lost = false;  // there was more than the socket could hold (ENOBUFS): look at the state afresh
  };
  // What there is to read; never blocks.
  [[nodiscard]] Heard read();

 private:
  explicit LinkWatch(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

}  // namespace plumb::netns
