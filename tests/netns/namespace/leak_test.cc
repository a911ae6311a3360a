// Nothing is left open: a hundred rounds of everything end with as many descriptors as they began with.
#include <doctest/doctest.h>

#include <array>

#include "netns/address/dad.h"
#include "netns/address/neighbour.h"
#include "netns/address/route.h"
#include "netns/address/sysctl.h"
#include "netns/lan/announce.h"
#include "netns/lan/probe.h"
#include "netns/link/upper_link.h"
#include "netns/namespace/capability.h"
#include "netns/namespace/process.h"
#include "tests/netns/lan.h"

#include <unistd.h>

namespace plumb::netns {
namespace {

using test::cidr;
using test::ifname;
using test::ip;
using test::must;

constexpr ProbeTiming kInstant{1, {}, {}, {}, std::chrono::milliseconds{0}};

// A service's life, with a refusal at every turn.
void live(test::Station& host) {
  auto target = test::make_node();
  const std::array<SysctlValue, 2> values{{{Sysctl::accept_ra, 0}, {Sysctl::accept_dad, 0}}};
  must(write_sysctls(target.ns, ifname("default"), values));
  const auto spec = test::macvlan_on(host.eth0.index);
  const auto link = must(create_macvlan(host.socket, target.socket, spec));
  CHECK_FALSE(create_macvlan(host.socket, target.socket, spec));
  CHECK_FALSE(Namespace::of_process(0));
  CHECK_FALSE(Namespace::from_path("/dev/null"));
  CHECK(must(Process::open(::getpid())).wait(std::chrono::steady_clock::now()).error().kind == ErrorKind::timeout);
  for (const char* text : {"10.0.3.3/24", "fd00:3::3/64"}) {
    CHECK_FALSE(must(probe(target.ns, link.index, cidr(text).address(), kInstant)).rival);
    must(add_address(target.socket, link.index, cidr(text)));
    must(wait_dad(target.socket, link.index, cidr(text).address(), test::soon()));
  }
  CHECK_FALSE(probe(target.ns, 4711, ip("10.0.3.3"), kInstant));
  CHECK_FALSE(wait_dad(target.socket, link.index, ip("fd00:3::4"), test::soon()));
  const Route route{.destination = default_destination(false),
                    .gateway = ip("10.0.3.1"),
                    .ifindex = link.index,
                    .metric = {},
                    .source = {}};
  must(replace_route(target.socket, route));
  CHECK(must(Announcer::open(target.ns, {.ifindex = link.index,
                                         .mac = *link.mac,
                                         .address = ip("10.0.3.3"),
                                         .gateway = ip("10.0.3.1"),
                                         .gateway_mac = {}}))
            .send() == 3);
  CHECK_FALSE(must(find_neighbour(target.socket, link.index, ip("10.0.3.77"))));
  CHECK(must(missing_capabilities()).empty());
  must(remove_route(target.socket, route));
  must(remove_address(target.socket, link.index, cidr("10.0.3.3/24")));
  must(remove_link(target.socket, link.index));
}

TEST_CASE("a hundred lives of a service leak no descriptor") {
  test::Lan lan;
  auto host = lan.plug();
  live(host);  // what is made once, at first use
  const auto before = test::open_descriptors();
  for (int i = 0; i < 100; ++i) live(host);
  CHECK(test::open_descriptors() == before);
  const auto leak = must(Namespace::current());
  CHECK(test::open_descriptors() == before + 1);  // the twin: a descriptor more is seen
}

}  // namespace
}  // namespace plumb::netns
