// The sockets of a namespace that all claims on addresses there share: a thousand addresses of the node need two.
//
// Threads: safe from any. Privilege: CAP_NET_ADMIN, CAP_NET_RAW, CAP_SYS_ADMIN.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "netns/namespace/namespace.h"
#include "netns/socket/route_socket.h"
#include "specs/value/result.h"
#include "specs/value/unique_fd.h"

namespace plumb::watch {

class NamespaceSockets {
 public:
  explicit NamespaceSockets(std::shared_ptr<const netns::Namespace> ns) : ns_(std::move(ns)) {}

  // What `talk` returns, a Result, of a conversation that is its own meanwhile. Errors: those of RouteSocket::open();
  // its own.
  template <typename F>
  auto talk(F&& talk) -> decltype(talk(std::declval<netns::RouteSocket&>())) {
    const std::lock_guard lock(mutex_);
    if (!routes_) routes_ = TRY(netns::RouteSocket::open(*ns_));
    return talk(*routes_);
  }
  // To announce from. Errors: those of netns::open_announcing_socket().
  [[nodiscard]] Result<std::shared_ptr<const UniqueFd>> announcing();

 private:
  std::shared_ptr<const netns::Namespace> ns_;
  std::mutex mutex_;
  std::optional<netns::RouteSocket> routes_;
  std::shared_ptr<const UniqueFd> announcing_;
};

// One for each namespace, for as long as somebody has it.
class SocketsOfNamespaces {
 public:
  [[nodiscard]] std::shared_ptr<NamespaceSockets> of(const std::shared_ptr<const netns::Namespace>& ns);

 private:
  std::mutex mutex_;
  std::map<netns::NamespaceId, std::weak_ptr<NamespaceSockets>> known_;
};

}  // namespace plumb::watch
