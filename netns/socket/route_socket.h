// RouteSocket: one rtnetlink(7) conversation with one network namespace, with the kernel's own words in every refusal.
//
// Everything about links, addresses, routes and neighbours goes through one; open it once for each namespace and reuse
// it. The conversation with netfilter has the same form, and goes through one of its own.
//
// Threads: one thread at a time for each socket. Privilege: opening in another namespace needs CAP_SYS_ADMIN (setns);
// changing anything needs CAP_NET_ADMIN there; reading none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "netns/namespace/namespace.h"
#include "specs/value/result.h"

struct nl_sock;
struct nlmsghdr;

namespace plumb::netns {

class Message;

// The kernel's answer to one request.
struct Answer {
  int err = 0;         // 0, or a positive errno
  std::string reason;  // the extended-ack sentence (NLMSGERR_ATTR_MSG); empty where the kernel gave none
  [[nodiscard]] bool ok() const { return err == 0; }
};

// "operation: reason (strerror)", kind by the errno.
[[nodiscard]] Error refusal(const Answer& answer, std::string_view operation);

class RouteSocket {
 public:
  enum class Protocol { route, netfilter };
  // A socket in `ns`; without a thread when the caller is in it already. Errors: permission, EMFILE; unsupported before
  // Linux 4.20.
  [[nodiscard]] static Result<RouteSocket> open(const Namespace& ns, Protocol protocol = Protocol::route);

  // The namespace it talks to.
  [[nodiscard]] const Namespace& ns() const { return ns_; }
  [[nodiscard]] int fd() const;
  // The kernel's number for that namespace (SO_NETNS_COOKIE, net/core/sock.c), which no other one has until the next
  // boot, unlike its inode. nullopt before Linux 5.14.
  [[nodiscard]] std::optional<std::uint64_t> cookie() const;

  // For this layer only: sends `message` and waits for the dump's end (NLM_F_DUMP), for the one answer (`each` given)
  // or for the ACK, for 10 s at most (ETIMEDOUT). `each` sees the answers. A dump that was interrupted by a change
  // (NLM_F_DUMP_INTR) is err EINTR: ask again.
  [[nodiscard]] Answer exchange(Message& message, const std::function<void(const nlmsghdr&)>& each = {});

 private:
  struct Close {
    void operator()(nl_sock* socket) const;
  };
  RouteSocket(std::unique_ptr<nl_sock, Close> socket, Namespace ns);
  static Result<RouteSocket> open_here(const Namespace& ns, Protocol protocol);
  Answer receive(std::uint32_t sequence, bool dump, const std::function<void(const nlmsghdr&)>& each);

  std::unique_ptr<nl_sock, Close> socket_;
  Namespace ns_;
  std::unique_ptr<std::byte[]> buffer_;  // NOLINT: a vector would be zeroed, 8 pages for nothing
  std::uint32_t sequence_ = 0;
};

}  // namespace plumb::netns
