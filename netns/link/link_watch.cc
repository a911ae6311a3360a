#include "netns/link/link_watch.h"

#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_bridge.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <optional>

#include "netns/socket/attributes.h"
#include "netns/socket/changes.h"

namespace plumb::netns {

namespace {

// A node that starts hundreds of containers at once says a lot in a moment.
constexpr int kReceiveBytes = 1 << 20;

std::optional<LinkChange> decode(const nlmsghdr& message) {
  if (message.nlmsg_type != RTM_NEWLINK && message.nlmsg_type != RTM_DELLINK) return std::nullopt;
  const auto header = family_header<ifinfomsg>(message);
  if (!header || header->ifi_family != AF_UNSPEC) return std::nullopt;  // AF_BRIDGE: a port left its bridge
  const Attributes<IFLA_MAX> attributes(message, sizeof(ifinfomsg));
  const bool up = (header->ifi_flags & IFF_UP) != 0 && (header->ifi_flags & IFF_LOWER_UP) != 0;
  return LinkChange{header->ifi_index, attributes.text(IFLA_IFNAME), message.nlmsg_type == RTM_DELLINK, up,
                    attributes.u32(IFLA_CARRIER_DOWN_COUNT).value_or(0)};
}

// The port of a bridge that the message says forwards (br_fill_ifinfo, net/bridge/br_netlink.c).
std::optional<std::string> forwarding_port(const nlmsghdr& message) {
  if (message.nlmsg_type != RTM_NEWLINK) return std::nullopt;
  const auto header = family_header<ifinfomsg>(message);
  if (!header || header->ifi_family != AF_BRIDGE) return std::nullopt;
  const Attributes<IFLA_MAX> attributes(message, sizeof(ifinfomsg));
  const Attributes<IFLA_BRPORT_MAX> port(attributes.get(IFLA_PROTINFO));
  if (port.u8(IFLA_BRPORT_STATE) != BR_STATE_FORWARDING) return std::nullopt;
  return attributes.text(IFLA_IFNAME);
}

std::optional<AddressChange> decode_address(const nlmsghdr& message) {
  if (message.nlmsg_type != RTM_NEWADDR && message.nlmsg_type != RTM_DELADDR) return std::nullopt;
  const auto header = family_header<ifaddrmsg>(message);
  if (!header) return std::nullopt;
  const Attributes<IFA_MAX> attributes(message, sizeof(ifaddrmsg));
  const int own = attributes.get(IFA_LOCAL) != nullptr ? IFA_LOCAL : IFA_ADDRESS;
  return AddressChange{attributes.address(own), static_cast<int>(header->ifa_index)};
}

std::optional<AddressChange> decode_route(const nlmsghdr& message) {
  if (message.nlmsg_type != RTM_NEWROUTE && message.nlmsg_type != RTM_DELROUTE) return std::nullopt;
  const auto header = family_header<rtmsg>(message);
  if (!header || header->rtm_type != RTN_UNICAST || header->rtm_table == RT_TABLE_LOCAL) return std::nullopt;
  const Attributes<RTA_MAX> attributes(message, sizeof(rtmsg));
  return AddressChange{attributes.address(RTA_DST), static_cast<int>(attributes.u32(RTA_OIF).value_or(0))};
}

}  // namespace

Result<LinkWatch> LinkWatch::open(const Namespace& ns, bool addresses, bool routes) {
  auto fd = TRY(open_changes(ns, RTMGRP_LINK | (addresses ? RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR : 0U) |
                                     (routes ? RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE : 0U)));
  // More than the system's limit needs CAP_NET_ADMIN; without, the default has to do, and `lost` says when it does not.
  static_cast<void>(::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUFFORCE, &kReceiveBytes, sizeof kReceiveBytes));
  return LinkWatch(std::move(fd));
}

LinkWatch::Heard LinkWatch::read() {
  Heard heard;
  alignas(nlmsghdr) std::array<char, 32768> buffer;  // NOLINT: a message is at most that long (NLMSG_GOODSIZE)
  for (;;) {
    const ssize_t got = ::recv(fd_.get(), buffer.data(), buffer.size(), MSG_TRUNC);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == ENOBUFS) {
      heard.lost = true;
      continue;
    }
    if (got <= 0) return heard;
    int left = static_cast<int>(got);
    if (static_cast<std::size_t>(got) > buffer.size()) {
      heard.lost = true;
      continue;
    }
    for (const auto* at = reinterpret_cast<const nlmsghdr*>(buffer.data()); nlmsg_ok(at, left) != 0;  // NOLINT
         at = nlmsg_next(const_cast<nlmsghdr*>(at), &left))                                           // NOLINT
      if (auto change = decode(*at))
        heard.changes.push_back(*std::move(change));
      else if (auto port = forwarding_port(*at))
        heard.forwarding.push_back(*std::move(port));
      else if (const auto address = decode_address(*at))
        heard.addresses.push_back(*address);
      else if (const auto route = decode_route(*at))
        heard.addresses.push_back(*route);
  }
}

}  // namespace plumb::netns
