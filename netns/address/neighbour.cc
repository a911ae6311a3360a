#include "netns/address/neighbour.h"

#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

#include <cerrno>

#include "netns/socket/attributes.h"
#include "netns/socket/message.h"

namespace plumb::netns {

namespace {

NeighbourState state_of(std::uint16_t nud) {
  switch (nud) {
    case NUD_INCOMPLETE: return NeighbourState::incomplete;
    case NUD_REACHABLE: return NeighbourState::reachable;
    case NUD_STALE: return NeighbourState::stale;
    case NUD_DELAY: return NeighbourState::delay;
    case NUD_PROBE: return NeighbourState::probe;
    case NUD_FAILED: return NeighbourState::failed;
    case NUD_NOARP: return NeighbourState::noarp;
    case NUD_PERMANENT: return NeighbourState::permanent;
    default: return NeighbourState::none;
  }
}

std::optional<Neighbour> decode_neighbour(const nlmsghdr& message) {
  const auto header = family_header<ndmsg>(message);
  if (message.nlmsg_type != RTM_NEWNEIGH || !header) return std::nullopt;
  const Attributes<NDA_MAX> attributes(message, sizeof(ndmsg));
  const auto address = attributes.address(NDA_DST);
  if (!address) return std::nullopt;
  return Neighbour{*address, header->ndm_ifindex, attributes.mac(NDA_LLADDR), state_of(header->ndm_state)};
}

}  // namespace

std::string_view to_string(NeighbourState state) {
  switch (state) {
    case NeighbourState::none: return "none";
    case NeighbourState::incomplete: return "incomplete";
    case NeighbourState::reachable: return "reachable";
    case NeighbourState::stale: return "stale";
    case NeighbourState::delay: return "delay";
    case NeighbourState::probe: return "probe";
    case NeighbourState::failed: return "failed";
    case NeighbourState::noarp: return "noarp";
    case NeighbourState::permanent: return "permanent";
  }
  return "none";
}

Result<std::optional<Neighbour>> find_neighbour(RouteSocket& socket, int ifindex, const IpAddress& address) {
  ndmsg header{};
  header.ndm_family = static_cast<std::uint8_t>(address.family());
  header.ndm_ifindex = ifindex;
  Message message(RTM_GETNEIGH, 0, header);
  message.put(NDA_DST, address);
  std::optional<Neighbour> found;
  const Answer answer = socket.exchange(message, [&](const nlmsghdr& reply) { found = decode_neighbour(reply); });
  if (answer.err == ENOENT) return std::optional<Neighbour>{};
  if (!answer.ok())
    return Err{
        refusal(answer, "look up the neighbour " + address.to_string() + " on device " + std::to_string(ifindex))};
  return found;
}

Result<void> set_neighbour(RouteSocket& socket, int ifindex, const IpAddress& address, const Mac& mac) {
  ndmsg header{};
  header.ndm_family = static_cast<std::uint8_t>(address.family());
  header.ndm_ifindex = ifindex;
  header.ndm_state = NUD_PERMANENT;
  Message message(RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, header);
  message.put(NDA_DST, address);
  message.put(NDA_LLADDR, mac.bytes());
  const Answer answer = socket.exchange(message);
  if (answer.ok()) return {};
  return Err{refusal(answer, "set the neighbour " + address.to_string() + " on device " + std::to_string(ifindex))};
}

Result<void> remove_neighbour(RouteSocket& socket, int ifindex, const IpAddress& address) {
  ndmsg header{};
  header.ndm_family = static_cast<std::uint8_t>(address.family());
  header.ndm_ifindex = ifindex;
  Message message(RTM_DELNEIGH, 0, header);
  message.put(NDA_DST, address);
  const Answer answer = socket.exchange(message);
  if (answer.ok() || answer.err == ENOENT || answer.err == ENODEV) return {};
  return Err{refusal(answer, "remove the neighbour " + address.to_string() + " on device " + std::to_string(ifindex))};
}

}  // namespace plumb::netns
