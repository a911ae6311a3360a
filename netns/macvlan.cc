#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include <cerrno>

#include "netns/link.h"
#include "netns/message.h"

namespace plumb::netns {

namespace {

// A refusal in words that name the parent and say what to do. Asks the kernel again where that tells more than the
// errno; nobody is in a hurry after a failure.
Err explain(RouteSocket& host, RouteSocket& target, const MacvlanSpec& spec, const Answer& answer) {
  const auto parent = find_link(host, spec.parent_index);
  const bool known = parent && parent->has_value();
  const std::string parent_name = known ? (*parent)->name.str() : "number " + std::to_string(spec.parent_index);
  Error error = refusal(answer, "create macvlan " + spec.name.str() + " on " + parent_name);
  const auto say = [&](ErrorKind kind, std::string next) {
    error.kind = kind;
    error.next = std::move(next);
  };
  if (answer.err == EEXIST) {
    const auto there = find_link(target, spec.name);
    const std::string kind = there && there->has_value() && !(*there)->kind.empty() ? " (" + (*there)->kind + ")" : "";
    say(ErrorKind::exists, "A device " + spec.name.str() + kind +
                               " is in the namespace already: choose another name (nsdev) or remove it");
  } else if (parent && !known) {
    say(ErrorKind::not_found, "The parent device is not in this namespace: check ipdev with `ip link`");
  } else if (answer.err == EBUSY && known && (*parent)->master != 0) {
    say(ErrorKind::refused, parent_name + " is a port of a bridge or bond: use that bridge or bond as ipdev");
  } else if (answer.err == EBUSY || answer.err == EADDRINUSE) {
    say(ErrorKind::refused, spec.mac ? "The MAC " + spec.mac->to_string() + " may be in use on " + parent_name +
                                           ", or another kind of link (ipvlan) uses it"
                                     : "Another kind of link (ipvlan, a bridge) uses " + parent_name +
                                           ", or a link of a namespace that is going away");
  } else if (answer.err == EADDRNOTAVAIL && spec.mac) {
    say(ErrorKind::refused, spec.mac->to_string() + " is no unicast MAC address: choose another macaddr");
  } else if (answer.err == EOPNOTSUPP) {
    say(ErrorKind::unsupported, "Load the kernel module: modprobe macvlan");
  } else if ((answer.err == EINVAL || answer.err == ERANGE) && spec.mtu && known && *spec.mtu > (*parent)->mtu) {
    say(ErrorKind::refused, "The MTU " + std::to_string(*spec.mtu) + " is more than that of " + parent_name + ", " +
                                std::to_string((*parent)->mtu));
  } else if (answer.err == EINVAL && known && (*parent)->loopback) {
    say(ErrorKind::refused, parent_name + " is a loopback device: name an Ethernet device as ipdev");
  } else if (answer.err == EPERM) {
    error.next = "Run as root, or with CAP_NET_ADMIN in both namespaces";
  }
  return Err{std::move(error)};
}

}  // namespace

Result<Link> create_macvlan(RouteSocket& host, RouteSocket& target, const MacvlanSpec& spec) {
  ifinfomsg header{};
  header.ifi_family = AF_UNSPEC;
  header.ifi_flags = spec.up ? IFF_UP : 0;
  header.ifi_change = spec.up ? IFF_UP : 0;
  Message message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, header);
  message.put(IFLA_NET_NS_FD, static_cast<std::uint32_t>(target.ns().fd()));
  message.put(IFLA_IFNAME, spec.name.str());
  message.put(IFLA_LINK, static_cast<std::uint32_t>(spec.parent_index));
  if (spec.mac) message.put(IFLA_ADDRESS, spec.mac->bytes());
  if (spec.mtu) message.put(IFLA_MTU, *spec.mtu);
  message.nest(IFLA_LINKINFO, [&] {
    message.put(IFLA_INFO_KIND, std::string_view("macvlan"));
    message.nest(IFLA_INFO_DATA,
                 [&] { message.put(IFLA_MACVLAN_MODE, static_cast<std::uint32_t>(MACVLAN_MODE_BRIDGE)); });
  });
  const Answer answer = host.exchange(message);
  if (!answer.ok()) return explain(host, target, spec, answer);
  // The kernel chose the index; a name is unique in its namespace.
  if (auto made = TRY(find_link(target, spec.name))) return *std::move(made);
  return Err{ErrorKind::failed, "create macvlan " + spec.name.str() + ": it is gone again",
             "Look for what removes or renames devices there"};
}

}  // namespace plumb::netns
