#include "plugin/watch/namespace_sockets.h"

#include "netns/lan/announce.h"

namespace plumb::watch {

Result<std::shared_ptr<const UniqueFd>> NamespaceSockets::announcing() {
  const std::lock_guard lock(mutex_);
  if (!announcing_) announcing_ = TRY(netns::open_announcing_socket(*ns_));
  return announcing_;
}

std::shared_ptr<NamespaceSockets> SocketsOfNamespaces::of(const std::shared_ptr<const netns::Namespace>& ns) {
  const std::lock_guard lock(mutex_);
  std::erase_if(known_, [](const auto& one) { return one.second.expired(); });
  auto& known = known_[ns->id()];
  auto out = known.lock();
  if (!out) known = out = std::make_shared<NamespaceSockets>(ns);
  return out;
}

}  // namespace plumb::watch
