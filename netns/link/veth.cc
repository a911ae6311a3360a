#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>

#include <cerrno>

#include "netns/link/link.h"
#include "netns/socket/message.h"

namespace plumb::netns {

namespace {

std::string operation(const VethSpec& spec) {
  return "create veth " + spec.name.str() + " with " + spec.host_name.str();
}

Err explain(RouteSocket& host, RouteSocket& target, const VethSpec& spec, const Answer& answer) {
  Error error = refusal(answer, operation(spec));
  const auto say = [&](ErrorKind kind, std::string next) {
    error.kind = kind;
    error.next = std::move(next);
  };
  const auto bridge = find_link(host, spec.bridge_index);
  if (answer.err == EEXIST) {
    const auto there = find_link(target, spec.name);
    const bool inside = there && there->has_value();
    say(ErrorKind::exists,
        "A device " + (inside ? spec.name.str() + " is in the namespace" : spec.host_name.str() + " is on this node") +
            " already: choose another name or remove it");
  } else if (spec.bridge_index != 0 && bridge && !bridge->has_value()) {
    say(ErrorKind::not_found, "The bridge is not in this namespace: check ipdev with `ip link`");
  } else if (spec.bridge_index != 0 && bridge && (*bridge)->kind != "bridge") {
    say(ErrorKind::refused, (*bridge)->name.str() + " is no bridge: mode bridge needs one as ipdev");
  } else if (answer.err == EOPNOTSUPP) {
    say(ErrorKind::unsupported, "Load the kernel module: modprobe veth");
  } else if (answer.err == EADDRNOTAVAIL && spec.mac) {
    say(ErrorKind::refused, spec.mac->to_string() + " is no unicast MAC address: choose another macaddr");
  } else if (answer.err == EPERM) {
    error.next = "Run as root, or with CAP_NET_ADMIN in both namespaces";
  }
  return Err{std::move(error)};
}

Answer create_pair(RouteSocket& host, RouteSocket& target, const VethSpec& spec) {
  ifinfomsg header{};
  header.ifi_family = AF_UNSPEC;
  header.ifi_flags = IFF_UP;  // of the host's end: by then the pair is whole (veth_newlink, drivers/net/veth.c)
  header.ifi_change = IFF_UP;
  Message message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, header);
  message.put(IFLA_IFNAME, spec.host_name.str());
  if (spec.bridge_index != 0) message.put(IFLA_MASTER, static_cast<std::uint32_t>(spec.bridge_index));
  if (spec.mtu) message.put(IFLA_MTU, *spec.mtu);
  message.nest(IFLA_LINKINFO, [&] {
    message.put(IFLA_INFO_KIND, std::string_view("veth"));
    message.nest(IFLA_INFO_DATA, [&] {
      message.nest(VETH_INFO_PEER, [&] {
        message.put_header(ifinfomsg{});
        message.put(IFLA_NET_NS_FD, static_cast<std::uint32_t>(target.ns().fd()));
        message.put(IFLA_IFNAME, spec.name.str());
        if (spec.mac) message.put(IFLA_ADDRESS, spec.mac->bytes());
        if (spec.mtu) message.put(IFLA_MTU, *spec.mtu);
      });
    });
  });
  return host.exchange(message);
}

// Both ends as they are, after the target's was brought up.
Result<VethPair> finish(RouteSocket& host, RouteSocket& target, const VethSpec& spec) {
  auto inside = TRY(find_link(target, spec.name));
  if (inside && spec.up) {
    TRY(set_up(target, inside->index));
    inside = TRY(find_link(target, inside->index));
  }
  auto outside = TRY(find_link(host, spec.host_name));
  if (inside && outside) return VethPair{*std::move(outside), *std::move(inside)};
  return Err{ErrorKind::failed, operation(spec) + ": it is gone again",
             "Look for what removes or renames devices there"};
}

}  // namespace

Result<VethPair> create_veth(RouteSocket& host, RouteSocket& target, const VethSpec& spec) {
  const Answer answer = create_pair(host, target, spec);
  if (!answer.ok()) return explain(host, target, spec, answer);
  auto pair = finish(host, target, spec);
  if (!pair) {
    // One end takes the other along. What removal says is less than why we are here.
    const auto made = find_link(host, spec.host_name);
    if (made && *made) static_cast<void>(remove_link(host, (*made)->index));
  }
  return pair;
}

}  // namespace plumb::netns
