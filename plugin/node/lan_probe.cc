#include "plugin/node/lan_probe.h"

#include <array>

#include "netns/address/sysctl.h"
#include "netns/link/link.h"
#include "netns/link/upper_link.h"
#include "plugin/node/device.h"
#include "specs/service/uplink.h"

namespace plumb {

namespace {

// A place to probe from that hears everybody: a macvlan on the parent, in a namespace of its own that dies with its
// descriptor. From the parent itself this node's other macvlans cannot be heard.
struct Listener {
  netns::Namespace ns;
  int index = 0;
};

Result<Listener> listener_on(netns::RouteSocket& node, const netns::Link& parent) {
  auto ns = TRY(netns::Namespace::create());
  // No IPv6 of its own: a listener claims nothing and says nothing but the probe. A kernel without IPv6 says not_found.
  const std::array<netns::SysctlValue, 1> quiet{{{netns::Sysctl::disable_ipv6, 1}}};
  const auto everything = TRY(IfName::parse("default"));
  if (auto written = netns::write_sysctls(ns, everything, quiet);
      !written && written.error().kind != ErrorKind::not_found)
    return Err{std::move(written).error()};
  auto inside = TRY(netns::RouteSocket::open(ns));
  const auto name = TRY(IfName::parse("probe0"));
  const auto link = TRY(netns::create_macvlan(node, inside, {parent.index, name, {}, {}, true}));
  return Listener{std::move(ns), link.index};
}

}  // namespace

netns::ProbeTiming timing_of(ProbeProfile profile) {
  return profile == ProbeProfile::rfc ? netns::kRfcProbe : netns::kFastProbe;
}

Result<netns::Probed> ask_lan(const std::string& parent, IpMode mode, const IpAddress& address, ProbeProfile profile,
                              const std::stop_token& stop) {
  // A conversation of its own: the probe runs beside those who make links.
  auto own = TRY(netns::Namespace::current());
  auto socket = TRY(netns::RouteSocket::open(own));
  const auto device = TRY(need_link(socket, parent));
  // A macvlan upon it would keep the parent from being that of ipvlans; two of them cannot have the same address, which
  // the kernel sees to (ipvlan_addr_busy).
  auto listener = is_ipvlan(mode) ? Result<Listener>(Err{Error{}}) : listener_on(socket, device);
  // A parent that takes no macvlan (it is a bridge's port, or the parent of another kind) is probed from itself.
  return netns::probe(listener ? listener->ns : own, listener ? listener->index : device.index, address,
                      timing_of(profile), stop);
}

}  // namespace plumb
