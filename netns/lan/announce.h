// Announcer: tells the neighbours who has an address now, so that no cache keeps the old owner's MAC.
//
// IPv4: a gratuitous ARP in request form (RFC 5227 section 3) and in reply form, since gear exists that takes only one,
// and an ARP request for the gateway, since gear exists that ignores both. IPv6: an unsolicited neighbour advertisement
// with the override flag to ff02::1 (RFC 4861 section 7.2.6) and a solicitation of the gateway.
//
// Threads: one at a time for each Announcer. send() only does sendto(2) of frames built at open(): a forked child may
// go on with it, too. Privilege: open() needs CAP_NET_RAW, and CAP_SYS_ADMIN when `ns` is not the caller's; send()
// none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "netns/namespace/namespace.h"
#include "netns/wire/frame.h"
#include "specs/value/ip.h"
#include "specs/value/result.h"
#include "specs/value/unique_fd.h"

namespace plumb::netns {

struct Announcement {
  int ifindex = 0;
  Mac mac;                           // the device's
  IpAddress address;                 // the claimed one; IPv6: no longer tentative
  std::optional<IpAddress> gateway;  // of the same family; another family's is ignored
  std::optional<Mac> gateway_mac;    // known: the gateway is asked by unicast; else by broadcast or multicast
};

// A packet socket from which all who announce in a namespace can send. Errors: permission, EMFILE.
[[nodiscard]] Result<std::shared_ptr<const UniqueFd>> open_announcing_socket(const Namespace& ns);

class Announcer {
 public:
  // With a socket of its own. Errors: those of open_announcing_socket().
  [[nodiscard]] static Result<Announcer> open(const Namespace& ns, const Announcement& announcement);
  // A device that is down or gone is no error: send() counts it. A carrier that is about to come is made to come now.
  Announcer(std::shared_ptr<const UniqueFd> socket, const Announcement& announcement);

  // Sends one round of frames. Never blocks, never fails: frames that could not be sent are counted. Returns the number
  // of frames sent in this round. Safe after fork; no allocation.
  unsigned send() noexcept;

  [[nodiscard]] unsigned frames() const { return static_cast<unsigned>(frames_.size()); }  // of one round
  [[nodiscard]] std::uint64_t sent() const { return sent_; }                               // frames, since open()
  [[nodiscard]] std::uint64_t failed() const { return failed_; }                           // frames, since open()
  [[nodiscard]] int last_errno() const { return last_errno_; }                             // of the last failure, or 0
  // The packet socket. Its close may take 10 ms, as probe()'s: destroy an Announcer off the critical path.
  [[nodiscard]] int fd() const { return socket_->get(); }

 private:
  std::shared_ptr<const UniqueFd> socket_;
  int ifindex_;
  std::vector<Frame> frames_;
  std::uint64_t sent_ = 0;
  std::uint64_t failed_ = 0;
  int last_errno_ = 0;
};

}  // namespace plumb::netns
