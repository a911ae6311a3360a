#include "netns/address/route.h"

#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "netns/link/link.h"
#include "netns/socket/attributes.h"
#include "netns/socket/dump.h"
#include "netns/socket/message.h"

namespace plumb::netns {

namespace {

// A multipath route keeps its hops in RTA_MULTIPATH: an rtnexthop each, followed by its attributes.
void first_hop(const Attributes<RTA_MAX>& attributes, Route& route) {
  const auto bytes = attributes.bytes(RTA_MULTIPATH);
  rtnexthop hop{};
  if (bytes.size() < sizeof hop) return;
  std::memcpy(&hop, bytes.data(), sizeof hop);
  route.ifindex = hop.rtnh_ifindex;
  if (hop.rtnh_len < sizeof hop || hop.rtnh_len > bytes.size()) return;
  const auto inner = bytes.subspan(sizeof hop, hop.rtnh_len - sizeof hop);
  const auto* head = reinterpret_cast<const nlattr*>(inner.data());  // NOLINT: netlink aligns to 4
  const nlattr* gateway = nla_find(head, static_cast<int>(inner.size()), RTA_GATEWAY);
  if (gateway == nullptr) return;
  const auto parsed = IpAddress::from_bytes(
      {static_cast<const std::uint8_t*>(nla_data(gateway)), static_cast<std::size_t>(nla_len(gateway))});
  if (parsed) route.gateway = *parsed;
}

std::optional<Route> decode_route(const nlmsghdr& message) {
  const auto header = family_header<rtmsg>(message);
  if (message.nlmsg_type != RTM_NEWROUTE || !header || header->rtm_type != RTN_UNICAST) return std::nullopt;
  if ((header->rtm_flags & RTM_F_CLONED) != 0) return std::nullopt;  // IPv6 shows its cache too
  if (header->rtm_family != AF_INET && header->rtm_family != AF_INET6) return std::nullopt;
  const Attributes<RTA_MAX> attributes(message, sizeof(rtmsg));
  const bool v6 = header->rtm_family == AF_INET6;
  const auto destination = attributes.address(RTA_DST).value_or(v6 ? IpAddress::any_v6() : IpAddress::any_v4());
  const auto cidr = Cidr::make(destination, header->rtm_dst_len);
  if (!cidr) return std::nullopt;
  Route route{.destination = *cidr,
              .gateway = attributes.address(RTA_GATEWAY),
              .ifindex = static_cast<int>(attributes.u32(RTA_OIF).value_or(0)),
              .table = attributes.u32(RTA_TABLE).value_or(header->rtm_table),
              .metric = attributes.u32(RTA_PRIORITY),
              .source = attributes.address(RTA_PREFSRC),
              .onlink = (header->rtm_flags & RTNH_F_ONLINK) != 0,
              .protocol = header->rtm_protocol};
  first_hop(attributes, route);
  return route;
}

rtmsg route_header(const Route& route) {
  rtmsg header{};
  header.rtm_family = static_cast<std::uint8_t>(route.destination.address().family());
  header.rtm_dst_len = static_cast<std::uint8_t>(route.destination.prefix());
  // Numbers over 255 go into RTA_TABLE only (rtm_get_table, include/net/ip_fib.h).
  header.rtm_table = static_cast<std::uint8_t>(route.table < 256 ? route.table : RT_TABLE_UNSPEC);
  return header;
}

void put_route(Message& message, const Route& route) {
  message.put(RTA_TABLE, route.table);
  if (!route.is_default()) message.put(RTA_DST, route.destination.address());
  if (route.gateway) message.put(RTA_GATEWAY, *route.gateway);
  if (route.ifindex != 0) message.put(RTA_OIF, static_cast<std::uint32_t>(route.ifindex));
  if (route.metric) message.put(RTA_PRIORITY, *route.metric);
}

std::string describe(const Route& route) {
  std::string out = route.is_default() ? (route.destination.address().is_v6() ? "default (IPv6)" : "default")
                                       : route.destination.to_string();
  if (route.gateway) out += " via " + route.gateway->to_string();
  if (route.ifindex != 0) out += " on device " + std::to_string(route.ifindex);
  return out;
}

Err explain(RouteSocket& socket, const Route& route, const Answer& answer) {
  Error error = refusal(answer, "set the route " + describe(route));
  // A device that is missing shows as an unreachable gateway.
  const auto device = find_link(socket, route.ifindex);
  if (route.ifindex != 0 && device && !device->has_value()) {
    error.kind = ErrorKind::not_found;
    error.next = "The device is not in this namespace, or no longer";
    return Err{std::move(error)};
  }
  const bool unreachable = answer.err == ENETUNREACH || answer.err == EHOSTUNREACH;
  if (route.gateway && (unreachable || answer.err == EINVAL)) {
    error.kind = ErrorKind::refused;
    error.next = "The gateway " + route.gateway->to_string() +
                 " must be another host inside the subnet of an address on the device: check gateway and netmask";
  } else if (answer.err == ENETDOWN) {
    error.kind = ErrorKind::refused;
    error.next = "The device is down: bring it up first";
  } else if (answer.err == EPERM) {
    error.next = "Run as root, or with CAP_NET_ADMIN";
  }
  return Err{std::move(error)};
}

Result<std::vector<Route>> routes_of(RouteSocket& socket, int family, const RouteFilter& filter) {
  const auto request = [&] {
    rtmsg header{};
    header.rtm_family = static_cast<std::uint8_t>(family);
    Message message(RTM_GETROUTE, NLM_F_DUMP, header);
    if (filter.table != 0) message.put(RTA_TABLE, filter.table);
    if (filter.ifindex != 0) message.put(RTA_OIF, static_cast<std::uint32_t>(filter.ifindex));
    return message;
  };
  // ENOENT: no such table; ENODEV: no such device; EAFNOSUPPORT, EOPNOTSUPP: a kernel without IPv6.
  return dump<Route>(socket, request, decode_route, "list the routes", {ENOENT, ENODEV, EAFNOSUPPORT, EOPNOTSUPP});
}

}  // namespace

Cidr default_destination(bool v6) { return *Cidr::make(v6 ? IpAddress::any_v6() : IpAddress::any_v4(), 0); }

Result<std::vector<Route>> routes(RouteSocket& socket, const RouteFilter& filter) {
  std::vector<Route> out;
  for (const int family : {AF_INET, AF_INET6}) {
    if (filter.family == Family::v4 && family != AF_INET) continue;
    if (filter.family == Family::v6 && family != AF_INET6) continue;
    auto some = TRY(routes_of(socket, family, filter));
    out.insert(out.end(), some.begin(), some.end());
  }
  return out;
}

Result<std::vector<Route>> lasting_routes(RouteSocket& socket, Family family, int ifindex) {
  auto out = TRY(routes(socket, {family, 0, ifindex}));
  std::erase_if(out, [](const Route& r) { return r.protocol == RTPROT_KERNEL || r.protocol == RTPROT_RA; });
  std::stable_partition(out.begin(), out.end(), [](const Route& r) { return !r.gateway; });
  return out;
}

Result<void> replace_route(RouteSocket& socket, const Route& route) {
  rtmsg header = route_header(route);
  header.rtm_type = RTN_UNICAST;
  header.rtm_protocol = static_cast<std::uint8_t>(route.protocol);
  // IPv4 wants a scope: the link's for a route without a gateway (fib_check_nh, net/ipv4/fib_semantics.c). IPv6 ignores
  // it.
  header.rtm_scope = route.gateway ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK;
  header.rtm_flags = route.onlink ? RTNH_F_ONLINK : 0U;
  Message message(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, header);
  put_route(message, route);
  if (route.source) message.put(RTA_PREFSRC, *route.source);
  const Answer answer = socket.exchange(message);
  if (answer.ok()) return {};
  return explain(socket, route, answer);
}

Result<void> remove_route(RouteSocket& socket, const Route& route) {
  rtmsg header = route_header(route);
  header.rtm_scope = RT_SCOPE_NOWHERE;  // any scope (fib_table_delete, net/ipv4/fib_trie.c); type and protocol 0: any
  Message message(RTM_DELROUTE, 0, header);
  put_route(message, route);
  const Answer answer = socket.exchange(message);
  // ESRCH: no such route; ENOENT: no such table; ENODEV: no such device.
  if (answer.ok() || answer.err == ESRCH || answer.err == ENOENT || answer.err == ENODEV) return {};
  return Err{refusal(answer, "remove the route " + describe(route))};
}

}  // namespace plumb::netns
