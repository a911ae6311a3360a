// LinkWatch: what happens to the devices of a namespace, as the kernel tells it, for who waits for many of them at
// once.
//
// Threads: one at a time. Privilege: CAP_SYS_ADMIN to enter another namespace.
#pragma once

#include <string>
#include <vector>

#include "netns/namespace/namespace.h"
#include "specs/value/result.h"
#include "specs/value/unique_fd.h"

namespace plumb::netns {

struct LinkChange {
  int index = 0;
  std::string name;
  bool gone = false;     // removed, or moved to another namespace
  bool carrier = false;  // up, and its lower layer too (IFF_LOWER_UP)
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
    bool others = false;  // something changed that is no link
    bool lost = false;    // there was more than the socket could hold (ENOBUFS): look at the state afresh
  };
  // What there is to read; never blocks.
  [[nodiscard]] Heard read();

 private:
  explicit LinkWatch(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

}  // namespace plumb::netns
