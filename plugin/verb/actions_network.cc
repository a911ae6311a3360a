#include <algorithm>
#include <cstdio>

#include "netns/address/address.h"
#include "netns/address/dad.h"
#include "netns/address/route.h"
#include "netns/lan/probe.h"
#include "netns/link/carrier.h"
#include "netns/link/link.h"
#include "plugin/node/device.h"
#include "plugin/node/lan_probe.h"
#include "plugin/node/node_scan.h"
#include "plugin/verb/actions.h"
#include "specs/service/uplink.h"

namespace plumb {

namespace {

// RFC 4862 duplicate address detection takes one to two seconds with the kernel's defaults.
constexpr std::chrono::seconds kDadDeadline{10};

// An Ethernet device that was just brought up agrees with its switch on a speed first: 2 to 4 seconds.
constexpr std::chrono::seconds kCarrierDeadline{10};

// Whether another namespace of the node has it.
bool is_elsewhere_here(const IpAddress& address) {
  const auto scan = scan_node();
  return scan.elsewhere.contains(address) || std::any_of(scan.abandoned.begin(), scan.abandoned.end(),
                                                         [&](const auto& p) { return p.addresses.contains(address); });
}

}  // namespace

Result<void> Actions::probe_address(const Step& step, const AddressProbe& probe, const std::stop_token& stop) {
  const auto& ip = ip_of(step);
  const auto voice = TRY(voice_of(ip, probe, stop));
  const auto rival = TRY(claims_.ask(ip, voice, probe.address, probe.gateway, stop));
  return rival ? judge_rival(ip, probe.address, rival->to_string()) : Result<void>{};
}

Result<Voice> Actions::voice_of(const IpResource& ip, const AddressProbe& probe, const std::stop_token& stop) {
  if (probe.from.container.empty()) return voice_on(probe.from.device, ip.mode);
  // From the very device that the address goes on: it is a machine of the LAN like any other.
  const auto inside = TRY(conversation(probe.from.container));
  const std::lock_guard lock(inside->mutex);
  const int index = TRY(need_link(*inside->socket, probe.from.device)).index;
  // Without a carrier nobody would be heard, and the address be taken for free.
  if (ip.check_carrier) TRY(netns::wait_carrier(*inside->socket, index, Clock::now() + kCarrierDeadline, stop));
  return voice_inside(inside->ns, probe.from.container, probe.from.device);
}

Result<void> Actions::judge_rival(const IpResource& ip, const IpAddress& address, const std::string& rival) {
  const std::string what =
      ip.id + ": address " + address.to_string() + ": " + rival + " answers for it on " + uplink(ip);
  if (ip.conflict == ConflictPolicy::fail && is_elsewhere_here(address))
    return Err{
        ErrorKind::conflict, what,
        "a container, or another network namespace, of this very node has it: stop that, or correct ipname in [" +
            ip.id + "]; `lsns --type net` lists them"};
  if (ip.conflict == ConflictPolicy::fail)
    return Err{ErrorKind::conflict, what,
               "the service may still run on another node: stop it there, or fence that node; the switch's table of "
               "MAC addresses shows its port"};
  std::fprintf(stderr, "plumb: warning: %s; started all the same (conflict = %s)\n", what.c_str(),
               ip.conflict == ConflictPolicy::warn ? "warn" : "takeover");
  const std::lock_guard lock(mutex_);
  probed_.insert(address);
  return {};
}

std::optional<Error> Actions::loss() const {
  const auto lost = claims_.loss();
  if (!lost) return std::nullopt;
  const auto rival = lost->rival ? lost->rival->to_string() : std::string("another node");
  return Error{ErrorKind::conflict, 0,
               lost->ip + ": address " + lost->address.to_string() + ": " + rival +
                   " has claimed it while the service was being started",
               "the service was started on two nodes: it stays where it came up"};
}

Result<void> Actions::add_address(const Step& step, const AddressAdd& add, const std::stop_token& stop) {
  const auto& ip = ip_of(step);
  const auto& address = add.cidr.address();
  const auto where = TRY(conversation(add.place.container));
  std::optional<netns::Link> link;
  {
    const std::lock_guard lock(where->mutex);
    link = TRY(need_link(*where->socket, add.place.device));
  }
  if (claims_.has(address) && link->mac) {
    const auto take_off = [where, index = link->index, cidr = add.cidr] {
      const std::lock_guard lock(where->mutex);
      [[maybe_unused]] const auto off = netns::remove_address(*where->socket, index, cidr);
    };
    const auto rival = TRY(claims_.put_on(
        address, *link->mac, [this, step, add, where] { return put_address(step, add, where); }, take_off, stop));
    if (rival) TRY(judge_rival(ip, address, rival->to_string()));
  } else {
    TRY(put_address(step, add, where));
  }
  if (!address.is_v6() || ip.probe != ProbeProfile::rfc) return {};
  auto ready = netns::wait_dad(*where->socket, link->index, address, Clock::now() + kDadDeadline, stop);
  if (ready || ready.error().kind != ErrorKind::conflict) return ready;
  // The kernel does not say who it was; whoever it was answers again.
  auto asked = netns::probe(*where->ns, link->index, address, netns::kFastProbe, stop);
  const std::string who = asked && asked->rival ? " (" + asked->rival->mac.to_string() + ")" : std::string{};
  return Err{ErrorKind::conflict, ip.id + ": " + ready.error().what + who, ready.error().next};
}

Result<void> Actions::put_address(const Step& step, const AddressAdd& add, const std::shared_ptr<Conversation>& where) {
  const auto& ip = ip_of(step);
  const std::lock_guard lock(where->mutex);
  const auto link = TRY(need_link(*where->socket, add.place.device));
  // With its own probe done, plumb does not let the kernel detect once more, for a second or two, what it knows.
  const bool nodad = add.cidr.address().is_v6() && ip.probe != ProbeProfile::rfc;
  if (TRY(netns::add_address(*where->socket, link.index, add.cidr,
                             {ip.del_net_route, nodad, ip.type == IpType::host && !ip.source})) ==
      netns::Added::created)
    book(step,
         [where, index = link.index, cidr = add.cidr] { return netns::remove_address(*where->socket, index, cidr); });
  return give_way(step, where, link, add.cidr);
}

Result<void> Actions::remove_address(const AddressRemove& remove) {
  const auto where = TRY(conversation(remove.place.container));
  const std::lock_guard lock(where->mutex);
  TRY(take_way(remove, *where->socket));
  const auto link = TRY(device_named(*where->socket, remove.place.device));
  if (!link) return {};
  return netns::remove_address(*where->socket, link->index, remove.cidr);
}

Result<void> Actions::set_route(const Step& step, const RouteSet& set) {
  const auto inside = TRY(conversation(set.place.container));
  const std::lock_guard lock(inside->mutex);
  const auto link = TRY(need_link(*inside->socket, set.place.device));
  netns::Route route{netns::default_destination(set.v6), set.gateway, link.index, netns::kMainTable, {}, {}};
  // No route to the gateway's network tells the kernel so, where that is not kept, or there is none.
  const auto& ip = ip_of(step);
  const auto& mask = set.v6 ? ip.netmask_v6 : ip.netmask_v4;
  route.onlink = ip.del_net_route || (set.gateway && mask == set.gateway->bits());
  if (!set.main) return give_way_out(step, *inside->socket, route);
  std::optional<netns::Route> before;
  for (const auto& r : TRY(netns::routes(*inside->socket, {set.v6 ? netns::Family::v6 : netns::Family::v4})))
    if (r.is_default() && r.metric.value_or(0) == (set.v6 ? 1024U : 0U)) before = r;
  TRY(netns::replace_route(*inside->socket, route));
  TRY(give_way_out(step, *inside->socket, route));
  book(step, [inside, route, before] {
    return before ? netns::replace_route(*inside->socket, *before) : netns::remove_route(*inside->socket, route);
  });
  return {};
}

Result<void> Actions::announce(const Step& step, const AddressAnnounce& announcement) {
  const auto& ip = ip_of(step);
  const auto where = TRY(conversation(announcement.place.container));
  std::optional<netns::Link> link;
  {
    const std::lock_guard lock(where->mutex);
    link = TRY(need_link(*where->socket, announcement.place.device));
  }
  if (link->loopback || !link->mac) return {};  // nobody resolves a MAC there: lo, a tunnel
  // An announcement never fails a start: it is repeated, and a neighbour without it asks by itself in the end.
  auto announcer =
      netns::Announcer::open(*where->ns, {link->index, *link->mac, announcement.address, announcement.gateway, {}});
  if (!announcer) {
    std::fprintf(stderr, "plumb: warning: %s: not announced: %s\n", ip.id.c_str(), announcer.error().what.c_str());
    return {};
  }
  announcer->send();
  const std::lock_guard lock(mutex_);
  const auto on_link = [where, index = link->index, address = announcement.address] {
    const std::lock_guard conversation(where->mutex);
    const auto there = netns::has_address(*where->socket, index, address);
    return there && *there;
  };
  claimed_.push_back({std::move(*announcer), ip.announce, announcement.address, on_link, where->socket->fd()});
  return {};
}

}  // namespace plumb
