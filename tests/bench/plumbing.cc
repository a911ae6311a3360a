// Plumbs one ip, by plumb's API and by the same messages sent by bare C, in turns in the same process: a macvlan, and a
// veth on a bridge, each with its address and default route. Prints for each: name, ours and bare in microseconds
// (medians), and the median of the ratios of neighbours in time.
//
// Threads: one. Privilege: root; works in namespaces of its own.
#include <malloc.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <vector>

#include "netns/address/route.h"
#include "netns/link/link.h"
#include "netns/link/upper_link.h"
#include "netns/link/veth.h"
#include "netns/namespace/enter.h"
#include "tests/bench/bare.h"
#include "tests/netns/lan.h"

namespace {

using namespace plumb;
using namespace plumb::netns;

constexpr std::size_t kRounds = 300;

int address_and_route(RouteSocket& target, int index) {
  static const Cidr kCidr = test::cidr("10.0.3.3/24");
  static const IpAddress kGateway = test::ip("10.0.3.1");
  if (!add_address(target, index, kCidr)) return -1;
  const Route route{
      .destination = default_destination(false), .gateway = kGateway, .ifindex = index, .metric = {}, .source = {}};
  return replace_route(target, route) ? 0 : -1;
}

int our_macvlan(RouteSocket& host, int parent, const Namespace& ns) {
  static const IfName kName = test::ifname("eth0");
  auto target = RouteSocket::open(ns);
  if (!target) return -1;
  const auto link = create_macvlan(host, *target, {.parent_index = parent, .name = kName, .mac = {}, .mtu = {}});
  return link ? address_and_route(*target, link->index) : -1;
}

int our_veth(RouteSocket& host, int bridge, const Namespace& ns, const IfName& host_name) {
  static const IfName kName = test::ifname("eth0");
  auto target = RouteSocket::open(ns);
  if (!target) return -1;
  const auto pair =
      create_veth(host, *target, {.host_name = host_name, .bridge_index = bridge, .name = kName, .mac = {}, .mtu = {}});
  return pair ? address_and_route(*target, pair->target.index) : -1;
}

using Plumb = std::function<int(const Namespace&)>;

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(kRounds / 2), values.end());
  return values[kRounds / 2];
}

bool compare(const char* what, const Plumb& ours, const Plumb& bare, const std::function<void()>& clear) {
  std::vector<double> times[2];
  for (std::size_t i = 0; i < 2 * kRounds; ++i) {
    const std::size_t which = i % 2;
    const auto ns = test::must(Namespace::create());
    const auto begin = std::chrono::steady_clock::now();
    const int failed = which == 0 ? ours(ns) : bare(ns);
    const std::chrono::duration<double, std::micro> time = std::chrono::steady_clock::now() - begin;
    if (failed != 0) {
      std::fprintf(stderr, "bench_plumbing: %s, %s: failed (%d)\n", what, which == 0 ? "ours" : "bare", failed);
      return false;
    }
    times[which].push_back(time.count());
    clear();
  }
  std::vector<double> ratios;
  for (std::size_t i = 0; i < kRounds; ++i) ratios.push_back(times[0][i] / times[1][i]);
  std::printf("%s %.0f %.0f %.2f\n", what, median(times[0]), median(times[1]), median(ratios));
  return true;
}

}  // namespace

int main() {
  ::mallopt(M_ARENA_MAX, 1);  // as plumb itself (plugin/main.cc)
  test::Lan lan;
  auto station = lan.plug();
  const auto socket_in = [](const Namespace& ns) {
    return test::must(run_in(ns, []() -> Result<int> { return bare_socket(); }));
  };
  const int station_socket = socket_in(station.ns);
  const int bridge_socket = socket_in(lan.bridge().ns);
  const int parent = station.eth0.index;
  const int bridge = lan.bridge_index();
  // A link that is being taken down holds the kernel's lock that the next one needs: it goes before the clock runs.
  const auto host_name = test::ifname("bench0");
  const auto clear_veth = [&] {
    if (const auto link = test::must(find_link(lan.bridge().socket, host_name)))
      test::must(remove_link(lan.bridge().socket, link->index));
  };
  const bool done =
      compare(
          "macvlan", [&](const Namespace& ns) { return our_macvlan(station.socket, parent, ns); },
          [&](const Namespace& ns) { return bare_macvlan(station_socket, parent, ns.fd()); }, [] {}) &&
      compare(
          "veth", [&](const Namespace& ns) { return our_veth(lan.bridge().socket, bridge, ns, host_name); },
          [&](const Namespace& ns) { return bare_veth(bridge_socket, bridge, ns.fd(), host_name.c_str()); },
          clear_veth);
  return done ? 0 : 1;
}
