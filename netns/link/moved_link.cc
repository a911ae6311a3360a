#include <linux/if.h>
#include <linux/rtnetlink.h>

#include <cerrno>

#include "netns/link/link.h"
#include "netns/socket/message.h"

namespace plumb::netns {

namespace {

Err explain(RouteSocket& source, const MoveSpec& spec, const Answer& answer) {
  const auto link = find_link(source, spec.index);
  const bool known = link && link->has_value();
  const std::string old_name = known ? (*link)->name.str() : "number " + std::to_string(spec.index);
  Error error = refusal(answer, "move device " + old_name + " (to be " + spec.name.str() + " there)");
  if (answer.err == EEXIST) {
    error.kind = ErrorKind::exists;
    error.next = "A device " + spec.name.str() + " is there already: choose another name (nsdev) or remove it";
  } else if (answer.err == ENODEV || (link && !known)) {
    error.kind = ErrorKind::not_found;
  } else if (answer.err == EINVAL && known) {
    // dev_change_net_namespace refuses what is bound to its namespace (netns_local, NETIF_F_NETNS_LOCAL).
    error.kind = ErrorKind::refused;
    error.next = old_name + " is bound to its namespace: name a device that can be moved";
  }
  return Err{std::move(error)};
}

}  // namespace

// do_setlink (net/core/rtnetlink.c) takes the attributes in the order that is needed here: namespace, MAC, MTU, name,
// alias, and the flags last. A device that changes its namespace goes down, and only a device that is down takes
// another name before kernel 6.2.
Result<Link> move_link(RouteSocket& source, RouteSocket& target, const MoveSpec& spec) {
  ifinfomsg header{};
  header.ifi_family = AF_UNSPEC;
  header.ifi_index = spec.index;
  header.ifi_flags = spec.up ? IFF_UP : 0;
  header.ifi_change = IFF_UP;
  Message message(RTM_SETLINK, 0, header);
  message.put(IFLA_NET_NS_FD, static_cast<std::uint32_t>(target.ns().fd()));
  message.put(IFLA_IFNAME, spec.name.str());
  message.put(IFLA_IFALIAS, std::string_view(spec.alias));
  if (spec.mac) message.put(IFLA_ADDRESS, spec.mac->bytes());
  if (spec.mtu) message.put(IFLA_MTU, *spec.mtu);
  const Answer answer = source.exchange(message);
  if (!answer.ok()) return explain(source, spec, answer);
  if (auto moved = TRY(find_link(target, spec.name))) return *std::move(moved);
  return Err{ErrorKind::failed, "move device " + spec.name.str() + ": it is gone again",
             "Look for what removes or renames devices there"};
}

}  // namespace plumb::netns
