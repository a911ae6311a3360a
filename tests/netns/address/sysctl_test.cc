#include "netns/address/sysctl.h"

#include <doctest/doctest.h>

#include <array>

#include "netns/link/link.h"
#include "netns/link/upper_link.h"
#include "netns/namespace/enter.h"
#include "tests/netns/lan.h"

namespace plumb::netns {
namespace {

using test::ifname;
using test::must;

TEST_CASE("every sysctl of the set is written and read, in its namespace only") {
  test::Lan lan;
  auto host = lan.plug();
  auto other = lan.plug();
  for (const Sysctl key : {Sysctl::accept_ra, Sysctl::autoconf, Sysctl::disable_ipv6, Sysctl::accept_dad,
                           Sysctl::dad_transmits, Sysctl::ndisc_notify, Sysctl::keep_addr_on_down, Sysctl::arp_notify,
                           Sysctl::arp_ignore, Sysctl::arp_announce, Sysctl::rp_filter, Sysctl::promote_secondaries}) {
    CAPTURE(static_cast<int>(key));
    const int before = must(read_sysctl(host.ns, ifname("eth0"), key));
    const SysctlValue flipped{key, before == 0 ? 1 : 0};
    must(write_sysctls(host.ns, ifname("eth0"), std::span(&flipped, 1)));
    CHECK(must(read_sysctl(host.ns, ifname("eth0"), key)) == flipped.value);
    CHECK(must(read_sysctl(other.ns, ifname("eth0"), key)) == before);
  }
}

TEST_CASE("a new link takes the values of default, from its first moment") {
  test::Lan lan;
  auto host = lan.plug();
  auto target = test::make_node();
  const std::array<SysctlValue, 2> values{{{Sysctl::accept_ra, 0}, {Sysctl::autoconf, 0}}};
  const auto link = [&](const char* name) {
    return must(create_macvlan(host.socket, target.socket,
                               {.parent_index = host.eth0.index, .name = ifname(name), .mac = {}, .mtu = {}}));
  };
  link("before");
  must(write_sysctls(target.ns, ifname("default"), values));
  link("after");
  CHECK(must(read_sysctl(target.ns, ifname("before"), Sysctl::accept_ra)) == 1);
  CHECK(must(read_sysctl(target.ns, ifname("after"), Sysctl::accept_ra)) == 0);
  CHECK(must(read_sysctl(target.ns, ifname("after"), Sysctl::autoconf)) == 0);
}

TEST_CASE("a device that is not there, or a value out of range, is an error: what came before it is done") {
  auto node = test::make_node();
  const auto missing = read_sysctl(node.ns, ifname("nothing"), Sysctl::accept_ra);
  CHECK(missing.error().kind == ErrorKind::not_found);
  CHECK(missing.error().what.find("/nothing/accept_ra") != std::string::npos);
  const std::array<SysctlValue, 3> values{{{Sysctl::accept_ra, 0}, {Sysctl::arp_notify, 99999}, {Sysctl::autoconf, 0}}};
  CHECK_FALSE(write_sysctls(node.ns, ifname("nothing"), values));
}

}  // namespace
}  // namespace plumb::netns
