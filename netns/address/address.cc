#include "netns/address/address.h"

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <span>
#include <utility>

#include "netns/address/sysctl.h"
#include "netns/link/link.h"
#include "netns/socket/attributes.h"
#include "netns/socket/dump.h"
#include "netns/socket/message.h"

namespace plumb::netns {

namespace {

int family_number(Family family) {
  switch (family) {
    case Family::v4: return AF_INET;
    case Family::v6: return AF_INET6;
    case Family::any: break;
  }
  return AF_UNSPEC;
}

std::optional<Address> decode_address(const nlmsghdr& message) {
  const auto header = family_header<ifaddrmsg>(message);
  if (message.nlmsg_type != RTM_NEWADDR || !header) return std::nullopt;
  const Attributes<IFA_MAX> attributes(message, sizeof(ifaddrmsg));
  // On a point-to-point link IFA_ADDRESS is the peer's; IFA_LOCAL, where there is one, is always ours
  // (linux/if_addr.h).
  const auto local = attributes.has(IFA_LOCAL) ? attributes.address(IFA_LOCAL) : attributes.address(IFA_ADDRESS);
  if (!local) return std::nullopt;
  const auto cidr = Cidr::make(*local, header->ifa_prefixlen);
  if (!cidr) return std::nullopt;
  const std::uint32_t flags = attributes.u32(IFA_FLAGS).value_or(header->ifa_flags);
  return Address{.cidr = *cidr,
                 .ifindex = static_cast<int>(header->ifa_index),
                 .tentative = (flags & IFA_F_TENTATIVE) != 0,
                 .dadfailed = (flags & IFA_F_DADFAILED) != 0,
                 .deprecated = (flags & IFA_F_DEPRECATED) != 0,
                 .permanent = (flags & IFA_F_PERMANENT) != 0,
                 .secondary = !local->is_v6() && (flags & IFA_F_SECONDARY) != 0};
}

ifaddrmsg address_header(int ifindex, const Cidr& cidr) {
  ifaddrmsg header{};
  header.ifa_family = static_cast<std::uint8_t>(cidr.address().family());
  header.ifa_prefixlen = static_cast<std::uint8_t>(cidr.prefix());
  header.ifa_index = static_cast<std::uint32_t>(ifindex);
  return header;
}

Err explain_add(int ifindex, const Cidr& cidr, const Answer& answer) {
  Error error = refusal(answer, "add " + cidr.to_string() + " to device " + std::to_string(ifindex));
  if (answer.err == EACCES || answer.err == EOPNOTSUPP || answer.err == EAFNOSUPPORT) {
    // addrconf's word for a device (or a kernel) where IPv6 is off (inet6_addr_add, net/ipv6/addrconf.c).
    if (cidr.address().is_v6()) {
      error.kind = ErrorKind::unsupported;
      error.next = "IPv6 is off on this device: check the sysctl net.ipv6.conf.*.disable_ipv6";
    }
  } else if (answer.err == EPERM) {
    error.next = "Run as root, or with CAP_NET_ADMIN";
  } else if (answer.err == ENOBUFS || (answer.err == EINVAL && cidr.address().is_v6())) {
    error.next = "The device may be too small for IP (MTU under 68, or 1280 for IPv6)";
  }
  return Err{std::move(error)};
}

}  // namespace

Result<std::vector<Address>> addresses(RouteSocket& socket, int ifindex, Family family) {
  const auto request = [&] {
    ifaddrmsg header{};
    header.ifa_family = static_cast<std::uint8_t>(family_number(family));
    header.ifa_index = static_cast<std::uint32_t>(ifindex);
    return Message(RTM_GETADDR, NLM_F_DUMP, header);
  };
  return dump<Address>(socket, request, decode_address, "list the addresses", {ENODEV});
}

namespace {

// Of IPv6 the kernel tells one address (inet6_rtm_getaddr, net/ipv6/addrconf.c). Of IPv4 it has no such answer, but the
// entry in the table "local" that each address makes on its device (RTM_F_FIB_MATCH, Linux 4.13). Where an address is
// on several devices it shows the one that it takes.
bool is_told(RouteSocket& socket, int ifindex, const IpAddress& address) {
  if (address.is_v6()) {
    Message message(RTM_GETADDR, 0, address_header(ifindex, *Cidr::make(address, 128)));
    message.put(IFA_ADDRESS, address);
    bool found = false;
    const Answer answer =
        socket.exchange(message, [&](const nlmsghdr& one) { found = decode_address(one).has_value(); });
    return answer.ok() && found;
  }
  rtmsg header{};
  header.rtm_family = AF_INET;
  header.rtm_dst_len = 32;
  header.rtm_flags = RTM_F_FIB_MATCH;
  Message message(RTM_GETROUTE, 0, header);
  message.put(RTA_DST, address);
  bool found = false;
  const Answer answer = socket.exchange(message, [&](const nlmsghdr& one) {
    const auto route = family_header<rtmsg>(one);
    const Attributes<RTA_MAX> attributes(one, sizeof(rtmsg));
    found = route && route->rtm_type == RTN_LOCAL && route->rtm_dst_len == 32 &&
            attributes.address(RTA_DST) == address && attributes.u32(RTA_OIF) == static_cast<std::uint32_t>(ifindex);
  });
  return answer.ok() && found;
}

}  // namespace

Result<bool> has_address(RouteSocket& socket, int ifindex, const IpAddress& address) {
  if (is_told(socket, ifindex, address)) return true;
  const auto all = TRY(addresses(socket, ifindex, address.is_v6() ? Family::v6 : Family::v4));
  return std::any_of(all.begin(), all.end(), [&](const Address& one) { return one.cidr.address() == address; });
}

Result<Added> add_address(RouteSocket& socket, int ifindex, const Cidr& cidr, AddressOptions options) {
  Message message(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, address_header(ifindex, cidr));
  message.put(IFA_LOCAL, cidr.address());
  message.put(IFA_ADDRESS, cidr.address());
  if (const auto broadcast = cidr.broadcast()) message.put(IFA_BROADCAST, *broadcast);
  const std::uint32_t flags =
      (options.noprefixroute ? IFA_F_NOPREFIXROUTE : 0U) | (options.nodad ? static_cast<unsigned>(IFA_F_NODAD) : 0U);
  if (flags != 0) message.put(IFA_FLAGS, flags);
  constexpr std::uint32_t kForEver = 0xffffffff;
  if (options.no_source && cidr.address().is_v6()) {
    const ifa_cacheinfo lifetimes{.ifa_prefered = 0, .ifa_valid = kForEver, .cstamp = 0, .tstamp = 0};
    message.put(IFA_CACHEINFO, {reinterpret_cast<const std::uint8_t*>(&lifetimes), sizeof lifetimes});
  }
  const Answer answer = socket.exchange(message);
  if (answer.ok()) return Added::created;
  if (answer.err == EEXIST) return Added::present;
  return explain_add(ifindex, cidr, answer);
}

namespace {

// Those that the kernel would take along.
Result<std::vector<Address>> secondaries_of(RouteSocket& socket, int ifindex, const Cidr& cidr) {
  if (cidr.address().is_v6()) return std::vector<Address>{};
  auto all = TRY(addresses(socket, ifindex, Family::v4));
  const bool is_primary =
      std::any_of(all.begin(), all.end(), [&](const Address& a) { return a.cidr == cidr && !a.secondary; });
  std::erase_if(all, [&](const Address& a) {
    return !is_primary || !a.secondary || a.cidr.prefix() != cidr.prefix() || !cidr.contains(a.cidr.address());
  });
  return all;
}

// As long as it lives, a secondary takes the place of a primary that is deleted. Who is killed meanwhile leaves the
// device so, which harms nobody.
class Promotion {
 public:
  static Result<Promotion> of(RouteSocket& socket, int ifindex) {
    const auto link = TRY(find_link(socket, ifindex));
    if (!link) return Promotion(socket.ns(), std::nullopt);
    if (TRY(read_sysctl(socket.ns(), link->name, Sysctl::promote_secondaries)) != 0)
      return Promotion(socket.ns(), std::nullopt);
    const SysctlValue on{Sysctl::promote_secondaries, 1};
    TRY(write_sysctls(socket.ns(), link->name, std::span(&on, 1)));
    return Promotion(socket.ns(), link->name);
  }
  Promotion(Promotion&& other) noexcept : ns_(other.ns_), device_(std::exchange(other.device_, std::nullopt)) {}
  Promotion& operator=(Promotion&&) = delete;
  ~Promotion() {
    const SysctlValue off{Sysctl::promote_secondaries, 0};
    if (device_) [[maybe_unused]]
      const auto restored = write_sysctls(ns_, *device_, std::span(&off, 1));
  }

 private:
  Promotion(const Namespace& ns, std::optional<IfName> device) : ns_(ns), device_(std::move(device)) {}
  const Namespace& ns_;
  std::optional<IfName> device_;
};

}  // namespace

Result<void> remove_address(RouteSocket& socket, int ifindex, const Cidr& cidr) {
  const auto neighbours = TRY(secondaries_of(socket, ifindex, cidr));
  std::optional<Promotion> promotion;
  if (!neighbours.empty())
    if (auto promoted = Promotion::of(socket, ifindex)) promotion.emplace(*std::move(promoted));
  Message message(RTM_DELADDR, 0, address_header(ifindex, cidr));
  message.put(IFA_LOCAL, cidr.address());
  message.put(IFA_ADDRESS, cidr.address());
  const Answer answer = socket.exchange(message);
  // Another process may have ended a promotion of its own meanwhile.
  for (const auto& neighbour : neighbours)
    if (answer.ok()) TRY(add_address(socket, ifindex, neighbour.cidr));
  if (answer.ok() || answer.err == EADDRNOTAVAIL || answer.err == ENODEV || answer.err == ENXIO) return {};
  return Err{refusal(answer, "remove " + cidr.to_string() + " from device " + std::to_string(ifindex))};
}

}  // namespace plumb::netns
