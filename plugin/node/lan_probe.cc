#include "plugin/node/lan_probe.h"

#include <array>

#include "netns/address/sysctl.h"
#include "netns/link/link.h"
#include "netns/link/upper_link.h"
#include "plugin/node/device.h"
#include "specs/service/uplink.h"

namespace plumb {

namespace {

Result<Listener> macvlan_on(netns::RouteSocket& node, const netns::Link& parent) {
  auto ns = std::make_shared<const netns::Namespace>(TRY(netns::Namespace::create()));
  // No IPv6 of its own: a listener claims nothing and says nothing but the probe. A kernel without IPv6 says not_found.
  const std::array<netns::SysctlValue, 1> quiet{{{netns::Sysctl::disable_ipv6, 1}}};
  const auto everything = TRY(IfName::parse("default"));
  if (auto written = netns::write_sysctls(*ns, everything, quiet);
      !written && written.error().kind != ErrorKind::not_found)
    return Err{std::move(written).error()};
  auto inside = TRY(netns::RouteSocket::open(*ns));
  const auto name = TRY(IfName::parse("probe0"));
  const auto link = TRY(netns::create_macvlan(node, inside, {parent.index, name, {}, {}, true}));
  return Listener{std::move(ns), link.index};
}

}  // namespace

netns::ProbeTiming timing_of(ProbeProfile profile) {
  return profile == ProbeProfile::rfc ? netns::kRfcProbe : netns::kFastProbe;
}

Result<Listener> listener_on(const std::string& parent, IpMode mode) {
  // A conversation of its own: this runs beside those who make links.
  auto own = TRY(netns::Namespace::current());
  auto socket = TRY(netns::RouteSocket::open(own));
  const auto device = TRY(need_link(socket, parent));
  // A macvlan upon it would keep the parent from being that of ipvlans; two of them cannot have the same address, which
  // the kernel sees to (ipvlan_addr_busy). Others take none: a bridge's port, the parent of another kind.
  if (!is_ipvlan(mode))
    if (auto listener = macvlan_on(socket, device)) return listener;
  return Listener{std::make_shared<const netns::Namespace>(std::move(own)), device.index};
}

Result<netns::Probed> ask_lan(const std::string& parent, IpMode mode, const IpAddress& address, ProbeProfile profile,
                              const std::stop_token& stop) {
  const auto listener = TRY(listener_on(parent, mode));
  return netns::probe(*listener.ns, listener.index, address, timing_of(profile), stop);
}

}  // namespace plumb
