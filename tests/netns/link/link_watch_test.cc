#include "netns/link/link_watch.h"

#include <doctest/doctest.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>

#include "netns/address/route.h"
#include "netns/link/moved_link.h"
#include "netns/link/upper_link.h"
#include "tests/netns/lan.h"

namespace plumb::netns {
namespace {

using test::ifname;
using test::must;

bool readable(const LinkWatch& watch) {
  pollfd waiting{watch.fd(), POLLIN, 0};
  return ::poll(&waiting, 1, 5000) == 1;
}

// What is heard until `wanted` is part of it, at most for 5 s each.
bool hears(LinkWatch& watch, const std::function<bool(const LinkChange&)>& wanted) {
  while (readable(watch)) {
    const auto heard = watch.read();
    if (std::any_of(heard.changes.begin(), heard.changes.end(), wanted)) return true;
  }
  return false;
}

TEST_CASE("a link watch hears a device leave for another namespace") {
  test::Lan lan;
  auto host = lan.plug();
  auto target = test::make_node();
  const auto link = must(create_macvlan(host.socket, host.socket, {host.eth0.index, ifname("mv0"), {}, {}, false}));
  auto watch = must(LinkWatch::open(host.ns));
  CHECK(watch.read().changes.empty());
  must(move_link(host.socket, target.socket, {link.index, ifname("eth0"), {}, {}, {}, true}));
  CHECK(hears(watch, [&](const LinkChange& change) {
    return change.gone && change.name == "mv0" && change.index == link.index;
  }));
}

TEST_CASE("a link watch hears the carrier go and come") {
  test::Lan lan;
  auto host = lan.plug();
  auto watch = must(LinkWatch::open(host.ns));
  auto& bridge = lan.bridge();
  const auto port = must(find_link(bridge.socket, ifname(host.port)));
  REQUIRE(port);
  must(set_up(bridge.socket, port->index, false));
  CHECK(hears(watch, [](const LinkChange& change) { return change.name == "eth0" && !change.carrier; }));
  must(set_up(bridge.socket, port->index, true));
  CHECK(hears(watch, [](const LinkChange& change) { return change.name == "eth0" && change.carrier; }));
}

TEST_CASE("a link watch wakes up for addresses only where it was asked to") {
  test::Lan lan;
  auto host = lan.plug();
  auto with = must(LinkWatch::open(host.ns, true));
  auto without = must(LinkWatch::open(host.ns));
  must(add_address(host.socket, host.eth0.index, test::cidr("10.0.3.7/24")));
  CHECK(readable(with));
  CHECK(with.read().changes.empty());
  pollfd waiting{without.fd(), POLLIN, 0};
  CHECK(::poll(&waiting, 1, 0) == 0);
}

TEST_CASE("a link watch says when it has missed something") {
  auto node = test::make_node();
  auto watch = must(LinkWatch::open(node.ns));
  const int small = 2048;
  REQUIRE(::setsockopt(watch.fd(), SOL_SOCKET, SO_RCVBUF, &small, sizeof small) == 0);
  for (int i = 0; i < 64; ++i) test::make_bridge(node.socket, ifname("br" + std::to_string(i)));
  bool lost = false;
  while (!lost && readable(watch)) lost = watch.read().lost;
  CHECK(lost);
}

TEST_CASE("addresses and routes wake a link watch only when they are asked for") {
  test::Lan lan;
  auto host = lan.plug();
  auto links = must(LinkWatch::open(host.ns));
  auto addresses = must(LinkWatch::open(host.ns, true));
  auto all = must(LinkWatch::open(host.ns, true, true));
  must(add_address(host.socket, host.eth0.index, test::cidr("10.0.3.3/24"), {.noprefixroute = true}));
  const auto tells = [&](LinkWatch& watch, const char* address) {
    const auto heard = watch.read().addresses;
    return std::any_of(heard.begin(), heard.end(), [&](const AddressChange& change) {
      return change.index == host.eth0.index && change.address && change.address->to_string() == address;
    });
  };
  CHECK(tells(addresses, "10.0.3.3"));
  CHECK(tells(all, "10.0.3.3"));
  CHECK(links.read().addresses.empty());
  must(replace_route(host.socket, {test::cidr("10.0.9.0/24"), {}, host.eth0.index, kMainTable, {}, {}}));
  CHECK(tells(all, "10.0.9.0"));
  CHECK(addresses.read().addresses.empty());
  CHECK(links.read().addresses.empty());
  must(remove_address(host.socket, host.eth0.index, test::cidr("10.0.3.3/24")));
  CHECK(tells(addresses, "10.0.3.3"));
}

}  // namespace
}  // namespace plumb::netns
