#include "netns/link/link.h"

#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "netns/socket/attributes.h"
#include "netns/socket/dump.h"
#include "netns/socket/message.h"

namespace plumb::netns {

namespace {

std::string mode_name(std::uint32_t mode) {
  switch (mode) {
    case MACVLAN_MODE_PRIVATE: return "private";
    case MACVLAN_MODE_VEPA: return "vepa";
    case MACVLAN_MODE_BRIDGE: return "bridge";
    case MACVLAN_MODE_PASSTHRU: return "passthru";
    case MACVLAN_MODE_SOURCE: return "source";
    default: return std::to_string(mode);
  }
}

// IPVLAN_MODE_L2 and so on, include/uapi/linux/if_link.h.
std::string ipvlan_mode_name(std::uint32_t mode) {
  switch (mode) {
    case IPVLAN_MODE_L2: return "l2";
    case IPVLAN_MODE_L3: return "l3";
    case IPVLAN_MODE_L3S: return "l3s";
    default: return std::to_string(mode);
  }
}

std::vector<std::string> altnames_in(const nlattr* list) {
  std::vector<std::string> out;
  if (list == nullptr) return out;
  int length = nla_len(list);
  for (const auto* at = static_cast<const nlattr*>(nla_data(list)); nla_ok(at, length) != 0; at = nla_next(at, &length))
    if (nla_type(at) == IFLA_ALT_IFNAME) {
      const auto* text = static_cast<const char*>(nla_data(at));
      out.emplace_back(text, ::strnlen(text, static_cast<std::size_t>(nla_len(at))));
    }
  return out;
}

std::optional<Link> decode_link(const nlmsghdr& message) {
  const auto header = family_header<ifinfomsg>(message);
  if (message.nlmsg_type != RTM_NEWLINK || !header) return std::nullopt;
  const Attributes<IFLA_MAX> attributes(message, sizeof(ifinfomsg));
  auto name = IfName::parse(attributes.text(IFLA_IFNAME));
  if (!name) return std::nullopt;
  const Attributes<IFLA_INFO_MAX> info(attributes.get(IFLA_LINKINFO));
  std::optional<int> parent_namespace;
  if (const auto id = attributes.u32(IFLA_LINK_NETNSID)) parent_namespace = static_cast<int>(*id);
  Link link{.index = header->ifi_index,
            .name = *std::move(name),
            .kind = info.text(IFLA_INFO_KIND),
            .mac = attributes.mac(IFLA_ADDRESS),
            .mtu = attributes.u32(IFLA_MTU).value_or(0),
            .up = (header->ifi_flags & IFF_UP) != 0,
            .carrier = (header->ifi_flags & IFF_UP) != 0 && (header->ifi_flags & IFF_LOWER_UP) != 0,
            .carrier_downs = attributes.u32(IFLA_CARRIER_DOWN_COUNT).value_or(0),
            .loopback = (header->ifi_flags & IFF_LOOPBACK) != 0,
            .parent_index = static_cast<int>(attributes.u32(IFLA_LINK).value_or(0)),
            .parent_namespace = parent_namespace,
            .master = static_cast<int>(attributes.u32(IFLA_MASTER).value_or(0)),
            .alias = attributes.text(IFLA_IFALIAS),
            .macvlan_mode = {},
            .ipvlan_mode = {},
            .vlan_id = 0,
            .group = attributes.u32(IFLA_GROUP).value_or(0),
            .altnames = altnames_in(attributes.get(IFLA_PROP_LIST))};
  if (link.kind == "macvlan") {
    const Attributes<IFLA_MACVLAN_MAX> data(info.get(IFLA_INFO_DATA));
    link.macvlan_mode = mode_name(data.u32(IFLA_MACVLAN_MODE).value_or(0));
  } else if (link.kind == "ipvlan") {
    const Attributes<IFLA_IPVLAN_MAX> data(info.get(IFLA_INFO_DATA));
    link.ipvlan_mode = ipvlan_mode_name(data.u16(IFLA_IPVLAN_MODE).value_or(0));
  } else if (link.kind == "vlan") {
    const Attributes<IFLA_VLAN_MAX> data(info.get(IFLA_INFO_DATA));
    link.vlan_id = data.u16(IFLA_VLAN_ID).value_or(0);
  }
  return link;
}

Result<std::optional<Link>> get_link(RouteSocket& socket, Message& message, const std::string& which) {
  std::optional<Link> found;
  const Answer answer = socket.exchange(message, [&](const nlmsghdr& header) { found = decode_link(header); });
  if (answer.err == ENODEV) return std::optional<Link>{};
  if (!answer.ok()) return Err{refusal(answer, "look at device " + which)};
  return found;
}

ifinfomsg link_header(int index) {
  ifinfomsg header{};
  header.ifi_family = AF_UNSPEC;
  header.ifi_index = index;
  return header;
}

}  // namespace

Result<std::optional<Link>> find_link(RouteSocket& socket, const IfName& name) {
  Message message(RTM_GETLINK, 0, link_header(0));
  message.put(IFLA_IFNAME, name.str());
  message.put(IFLA_EXT_MASK, std::uint32_t{RTEXT_FILTER_SKIP_STATS});
  return get_link(socket, message, name.str());
}

Result<std::optional<Link>> find_link(RouteSocket& socket, int index) {
  if (index <= 0) return std::optional<Link>{};
  Message message(RTM_GETLINK, 0, link_header(index));
  message.put(IFLA_EXT_MASK, std::uint32_t{RTEXT_FILTER_SKIP_STATS});
  return get_link(socket, message, std::to_string(index));
}

Result<std::vector<Link>> links(RouteSocket& socket) {
  const auto request = [] {
    Message message(RTM_GETLINK, NLM_F_DUMP, link_header(0));
    message.put(IFLA_EXT_MASK, std::uint32_t{RTEXT_FILTER_SKIP_STATS});
    return message;
  };
  auto found = TRY(dump<Link>(socket, request, decode_link, "list the devices"));
  std::sort(found.begin(), found.end(), [](const Link& a, const Link& b) { return a.index < b.index; });
  return found;
}

Result<void> set_up(RouteSocket& socket, int index, bool up) {
  ifinfomsg header = link_header(index);
  header.ifi_flags = up ? IFF_UP : 0;
  header.ifi_change = IFF_UP;
  Message message(RTM_NEWLINK, 0, header);
  const Answer answer = socket.exchange(message);
  if (answer.ok()) return {};
  return Err{refusal(answer, std::string("bring device ") + std::to_string(index) + (up ? " up" : " down"))};
}

Result<void> set_alias(RouteSocket& socket, int index, std::string_view alias) {
  Message message(RTM_NEWLINK, 0, link_header(index));
  message.put(IFLA_IFALIAS, alias);
  const Answer answer = socket.exchange(message);
  if (answer.ok()) return {};
  return Err{refusal(answer, "set the alias of device " + std::to_string(index))};
}

namespace {

Answer change_altname(RouteSocket& socket, int type, int index, std::string_view name) {
  Message message(type, type == RTM_NEWLINKPROP ? NLM_F_CREATE | NLM_F_EXCL | NLM_F_APPEND : 0, link_header(index));
  message.nest(IFLA_PROP_LIST, [&] { message.put(IFLA_ALT_IFNAME, name); });
  return socket.exchange(message);
}

}  // namespace

Result<void> add_altname(RouteSocket& socket, int index, std::string_view name) {
  const Answer answer = change_altname(socket, RTM_NEWLINKPROP, index, name);
  if (answer.ok()) return {};
  return Err{refusal(answer, "name device " + std::to_string(index) + " " + std::string(name) + " too")};
}

Result<void> remove_altname(RouteSocket& socket, int index, std::string_view name) {
  const Answer answer = change_altname(socket, RTM_DELLINKPROP, index, name);
  if (answer.ok() || answer.err == ENOENT || answer.err == ENODEV) return {};
  return Err{refusal(answer, "take the name " + std::string(name) + " from device " + std::to_string(index))};
}

Result<void> remove_link(RouteSocket& socket, int index) {
  Message message(RTM_DELLINK, 0, link_header(index));
  const Answer answer = socket.exchange(message);
  if (answer.ok() || answer.err == ENODEV) return {};
  return Err{refusal(answer, "remove device " + std::to_string(index))};
}

}  // namespace plumb::netns
