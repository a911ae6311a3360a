#include "netns/socket/namespace_id.h"

#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>

#include "netns/socket/attributes.h"
#include "netns/socket/message.h"

namespace plumb::netns {

Result<std::optional<int>> namespace_id(RouteSocket& socket, const Namespace& other) {
  Message message(RTM_GETNSID, 0, rtgenmsg{AF_UNSPEC});
  message.put(NETNSA_FD, static_cast<std::uint32_t>(other.fd()));
  std::optional<int> found;
  const Answer answer = socket.exchange(message, [&](const nlmsghdr& header) {
    const Attributes<NETNSA_MAX> attributes(header, sizeof(rtgenmsg));
    if (const auto id = attributes.u32(NETNSA_NSID)) found = static_cast<int>(*id);
  });
  if (!answer.ok()) return Err{refusal(answer, "ask for the number of a network namespace")};
  return found == NETNSA_NSID_NOT_ASSIGNED ? std::nullopt : found;
}

}  // namespace plumb::netns
