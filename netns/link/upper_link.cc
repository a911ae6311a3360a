// Devices upon another one: macvlan, ipvlan, vlan.
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include <cerrno>
#include <functional>

#include "netns/link/link.h"
#include "netns/socket/message.h"

namespace plumb::netns {

namespace {

struct UpperSpec {
  std::string_view kind;
  int parent_index = 0;
  const IfName& name;
  std::optional<Mac> mac;
  std::optional<unsigned> mtu;
  std::optional<unsigned> group;
  bool up = true;
  std::function<void(Message&)> data;  // puts what is the kind's own
};

// A refusal in words that name the parent and say what to do. Asks the kernel again where that tells more than the
// errno; nobody is in a hurry after a failure.
Err explain(RouteSocket& host, RouteSocket& target, const UpperSpec& spec, const Answer& answer) {
  const auto parent = find_link(host, spec.parent_index);
  const bool known = parent && parent->has_value();
  const std::string parent_name = known ? (*parent)->name.str() : "number " + std::to_string(spec.parent_index);
  Error error = refusal(answer, "create " + std::string(spec.kind) + " " + spec.name.str() + " on " + parent_name);
  const auto say = [&](ErrorKind kind, std::string next) {
    error.kind = kind;
    error.next = std::move(next);
  };
  const std::string_view other_kind = spec.kind == "ipvlan" ? "macvlan" : "ipvlan";
  if (answer.err == EEXIST) {
    const auto there = find_link(target, spec.name);
    const bool taken = there && there->has_value();
    const std::string kind = taken && !(*there)->kind.empty() ? " (" + (*there)->kind + ")" : "";
    say(ErrorKind::exists, taken || spec.kind != "vlan"
                               ? "A device " + spec.name.str() + kind +
                                     " is in the namespace already: choose another name (nsdev) or remove it"
                               : parent_name + " has a device for that tag under another name: use that one as ipdev");
  } else if (parent && !known) {
    say(ErrorKind::not_found, "The parent device is not in this namespace: check ipdev with `ip link`");
  } else if (answer.err == EBUSY && known && (*parent)->master != 0) {
    say(ErrorKind::refused, parent_name + " is a port of a bridge or bond: use that bridge or bond as ipdev");
  } else if (answer.err == EBUSY || answer.err == EADDRINUSE) {
    say(ErrorKind::refused, spec.mac ? "The MAC " + spec.mac->to_string() + " may be in use on " + parent_name +
                                           ", or another kind of link (" + std::string(other_kind) + ") uses it"
                                     : "Another kind of link (" + std::string(other_kind) + ", a bridge) uses " +
                                           parent_name + ", or a link of a namespace that is going away");
  } else if (answer.err == EADDRNOTAVAIL && spec.mac) {
    say(ErrorKind::refused, spec.mac->to_string() + " is no unicast MAC address: choose another macaddr");
  } else if (answer.err == EOPNOTSUPP) {
    say(ErrorKind::unsupported,
        "Load the kernel module: modprobe " + std::string(spec.kind == "vlan" ? "8021q" : spec.kind));
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

Answer ask_for_upper(RouteSocket& host, RouteSocket& target, const UpperSpec& spec, std::string_view name, bool up) {
  ifinfomsg header{};
  header.ifi_family = AF_UNSPEC;
  header.ifi_flags = up ? IFF_UP : 0;
  header.ifi_change = up ? IFF_UP : 0;
  Message message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, header);
  message.put(IFLA_NET_NS_FD, static_cast<std::uint32_t>(target.ns().fd()));
  message.put(IFLA_IFNAME, name);
  message.put(IFLA_LINK, static_cast<std::uint32_t>(spec.parent_index));
  if (spec.mac) message.put(IFLA_ADDRESS, spec.mac->bytes());
  if (spec.mtu) message.put(IFLA_MTU, *spec.mtu);
  if (spec.group) message.put(IFLA_GROUP, *spec.group);
  message.nest(IFLA_LINKINFO, [&] {
    message.put(IFLA_INFO_KIND, spec.kind);
    message.nest(IFLA_INFO_DATA, [&] { spec.data(message); });
  });
  return host.exchange(message);
}

// Kernels before 6.15 look for a device of the new one's name in the namespace that is asked, not in the target's
// (__rtnl_newlink, net/core/rtnetlink.c): an eth0 of a container could not be made on the node's eth0. There the link
// gets its name in a second message, still down, and in the target's namespace, where no udev looks.
Result<Link> create_by_two(RouteSocket& host, RouteSocket& target, const UpperSpec& spec) {
  const auto name = TRY(IfName::parse("plumb.new"));
  if (const auto half_made = TRY(find_link(target, name)))  // of a start that was killed between the two
    TRY(remove_link(target, half_made->index));
  const Answer answer = ask_for_upper(host, target, spec, name.str(), false);
  if (!answer.ok()) return explain(host, target, spec, answer);
  const auto made = TRY(find_link(target, name));
  if (!made) return Err{ErrorKind::failed, "create " + std::string(spec.kind) + ": it is gone again"};
  auto named = move_link(target, target, {made->index, spec.name, {}, {}, {}, spec.up});
  if (named) return named;
  // A MAC that is taken shows when the link comes up.
  const Err why = explain(host, target, spec, {named.error().code, {}});
  TRY(remove_link(target, made->index));
  return why;
}

Result<Link> create_upper(RouteSocket& host, RouteSocket& target, const UpperSpec& spec) {
  const Answer answer = ask_for_upper(host, target, spec, spec.name.str(), spec.up);
  if (answer.err == EEXIST && !same(host.ns(), target.ns()) && !TRY(find_link(target, spec.name)))
    return create_by_two(host, target, spec);
  if (!answer.ok()) return explain(host, target, spec, answer);
  // The kernel chose the index; a name is unique in its namespace.
  if (auto made = TRY(find_link(target, spec.name))) return *std::move(made);
  return Err{ErrorKind::failed, "create " + std::string(spec.kind) + " " + spec.name.str() + ": it is gone again",
             "Look for what removes or renames devices there"};
}

std::uint16_t kernel_mode(IpvlanMode mode) {
  switch (mode) {
    case IpvlanMode::l2: return IPVLAN_MODE_L2;
    case IpvlanMode::l3: return IPVLAN_MODE_L3;
    case IpvlanMode::l3s: return IPVLAN_MODE_L3S;
  }
  return IPVLAN_MODE_L2;
}

}  // namespace

Result<Link> create_macvlan(RouteSocket& host, RouteSocket& target, const MacvlanSpec& spec) {
  return create_upper(host, target,
                      {"macvlan", spec.parent_index, spec.name, spec.mac, spec.mtu, {}, spec.up, [](Message& message) {
                         message.put(IFLA_MACVLAN_MODE, static_cast<std::uint32_t>(MACVLAN_MODE_BRIDGE));
                       }});
}

Result<Link> create_ipvlan(RouteSocket& host, RouteSocket& target, const IpvlanSpec& spec) {
  return create_upper(host, target,
                      {"ipvlan", spec.parent_index, spec.name, {}, spec.mtu, {}, spec.up, [&](Message& message) {
                         message.put(IFLA_IPVLAN_MODE, kernel_mode(spec.mode));
                       }});
}

Result<Link> create_vlan(RouteSocket& socket, const VlanSpec& spec) {
  return create_upper(socket, socket,
                      {"vlan", spec.parent_index, spec.name, {}, {}, spec.group, true, [&](Message& message) {
                         message.put(IFLA_VLAN_ID, static_cast<std::uint16_t>(spec.id));
                       }});
}

// A device upon none: each of these kinds refuses that (EINVAL, ENODEV), but only a kernel without the kind says
// EOPNOTSUPP (rtnl_newlink, "Unknown device type").
Result<bool> knows_kind(RouteSocket& socket, std::string_view kind) {
  ifinfomsg header{};
  header.ifi_family = AF_UNSPEC;
  Message message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, header);
  message.nest(IFLA_LINKINFO, [&] { message.put(IFLA_INFO_KIND, kind); });
  const Answer answer = socket.exchange(message);
  if (answer.err == EPERM) return Err{refusal(answer, "ask the kernel for devices of kind " + std::string(kind))};
  return answer.err != EOPNOTSUPP;
}

}  // namespace plumb::netns
