#include <cstdio>

#include "netns/address/address.h"
#include "netns/address/dad.h"
#include "netns/address/route.h"
#include "netns/lan/probe.h"
#include "netns/link/carrier.h"
#include "netns/link/link.h"
#include "plugin/node/device.h"
#include "plugin/node/lan_probe.h"
#include "plugin/verb/actions.h"
#include "specs/service/uplink.h"

namespace plumb {

namespace {

// RFC 4862 duplicate address detection takes one to two seconds with the kernel's defaults.
constexpr std::chrono::seconds kDadDeadline{10};

// An Ethernet device that was just brought up agrees with its switch on a speed first: 2 to 4 seconds.
constexpr std::chrono::seconds kCarrierDeadline{10};

}  // namespace

Result<void> Actions::probe_address(const Step& step, const AddressProbe& probe, const std::stop_token& stop) {
  const auto& ip = ip_of(step);
  if (!probe.from.container.empty()) return probe_in_container(ip, probe, stop);
  return judge_probe(ip, probe.address, TRY(ask_lan(probe.from.device, ip.mode, probe.address, ip.probe, stop)));
}

// From the very device that the address goes on: it is a machine of the LAN like any other.
Result<void> Actions::probe_in_container(const IpResource& ip, const AddressProbe& probe, const std::stop_token& stop) {
  const auto inside = TRY(conversation(probe.from.container));
  int index = 0;
  {
    const std::lock_guard lock(inside->mutex);
    index = TRY(need_link(*inside->socket, probe.from.device)).index;
    // Without a carrier nobody would be heard, and the address be taken for free.
    if (ip.check_carrier) TRY(netns::wait_carrier(*inside->socket, index, Clock::now() + kCarrierDeadline, stop));
  }
  return judge_probe(ip, probe.address,
                     TRY(netns::probe(*inside->ns, index, probe.address, timing_of(ip.probe), stop)));
}

Result<void> Actions::judge_probe(const IpResource& ip, const IpAddress& address, netns::Probed probed) {
  const auto rival = probed.rival;
  {
    const std::lock_guard lock(mutex_);
    late_.push_back(std::move(probed.socket));
    if (!rival) probed_.insert(address);
  }
  return rival ? judge_rival(ip, *rival) : Result<void>{};
}

Result<void> Actions::judge_rival(const IpResource& ip, const netns::Rival& rival) {
  const std::string what = ip.id + ": address " + rival.address.to_string() + ": " + rival.mac.to_string() +
                           " answers for it on " + uplink(ip);
  if (ip.conflict == ConflictPolicy::fail)
    return Err{ErrorKind::conflict, what,
               "the service may still run on another node: stop it there, or fence that node; `ip neigh` on a router "
               "shows the port"};
  std::fprintf(stderr, "plumb: warning: %s; started all the same (conflict = %s)\n", what.c_str(),
               ip.conflict == ConflictPolicy::warn ? "warn" : "takeover");
  const std::lock_guard lock(mutex_);
  probed_.insert(rival.address);
  return {};
}

Result<void> Actions::add_address(const Step& step, const AddressAdd& add, const std::stop_token& stop) {
  const auto& ip = ip_of(step);
  const auto where = TRY(conversation(add.place.container));
  const std::lock_guard lock(where->mutex);
  const auto link = TRY(need_link(*where->socket, add.place.device));
  // With its own probe done, plumb does not let the kernel detect once more, for a second or two, what it knows.
  const bool v6 = add.cidr.address().is_v6();
  const bool nodad = v6 && ip.probe != ProbeProfile::rfc;
  auto added = TRY(netns::add_address(*where->socket, link.index, add.cidr, {ip.del_net_route, nodad}));
  if (added == netns::Added::created)
    book(step,
         [where, index = link.index, cidr = add.cidr] { return netns::remove_address(*where->socket, index, cidr); });
  TRY(give_way(step, where, link, add.cidr));
  if (!v6 || nodad) return {};
  auto ready = netns::wait_dad(*where->socket, link.index, add.cidr.address(), Clock::now() + kDadDeadline, stop);
  if (ready || ready.error().kind != ErrorKind::conflict) return ready;
  // The kernel does not say who it was; whoever it was answers again.
  auto asked = netns::probe(*where->ns, link.index, add.cidr.address(), netns::kFastProbe, stop);
  const std::string who = asked && asked->rival ? " (" + asked->rival->mac.to_string() + ")" : std::string{};
  return Err{ErrorKind::conflict, ip.id + ": " + ready.error().what + who, ready.error().next};
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
  route.onlink = ip_of(step).del_net_route;  // no route to the gateway's network tells the kernel so
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
  if (!link->mac) return {};  // nobody resolves a MAC there: lo, a tunnel
  // An announcement never fails a start: it is repeated, and a neighbour without it asks by itself in the end.
  auto announcer =
      netns::Announcer::open(*where->ns, {link->index, *link->mac, announcement.address, announcement.gateway, {}});
  if (!announcer) {
    std::fprintf(stderr, "plumb: warning: %s: not announced: %s\n", ip.id.c_str(), announcer.error().what.c_str());
    return {};
  }
  announcer->send();
  const std::lock_guard lock(mutex_);
  claimed_.push_back({std::move(*announcer), ip.announce});
  return {};
}

}  // namespace plumb
