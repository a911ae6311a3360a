#include "netns/lan/membership.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstring>

#include "netns/wire/ndp.h"

namespace plumb::netns {

UniqueFd join_solicited_node(int ifindex, const IpAddress& address) {
  UniqueFd fd(::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const IpAddress group = solicited_node(address);
  ipv6_mreq request{};
  std::memcpy(&request.ipv6mr_multiaddr, group.bytes().data(), sizeof request.ipv6mr_multiaddr);
  request.ipv6mr_interface = static_cast<unsigned>(ifindex);
  if (fd && ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_JOIN_GROUP, &request, sizeof request) != 0) return {};
  return fd;
}

}  // namespace plumb::netns
