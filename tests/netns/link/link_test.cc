#include "netns/link/link.h"

#include <doctest/doctest.h>

#include "netns/link/upper_link.h"
#include "tests/netns/lan.h"

namespace plumb::netns {
namespace {

using test::ifname;
using test::macvlan_on;
using test::must;

TEST_CASE("lo is described") {
  auto node = test::make_node();
  const auto all = must(links(node.socket));
  REQUIRE(!all.empty());
  CHECK(all.front().name.str() == "lo");
  CHECK(all.front().loopback);
  CHECK(all.front().up);
  CHECK(all.front().carrier);
  CHECK(all.front().mtu == 65536);
  CHECK(all.front().kind.empty());
}

TEST_CASE("what is not there is not found") {
  auto node = test::make_node();
  CHECK_FALSE(must(find_link(node.socket, ifname("nothing"))));
  CHECK_FALSE(must(find_link(node.socket, 4711)));
  CHECK_FALSE(must(find_link(node.socket, 0)));
  CHECK_FALSE(must(find_link(node.socket, -1)));
}

TEST_CASE("an alias is kept, replaced and removed") {
  test::Lan lan;
  auto host = lan.plug();
  const auto alias = [&] { return must(find_link(host.socket, host.eth0.index)).value().alias; };
  CHECK(alias().empty());
  must(set_alias(host.socket, host.eth0.index, "plumb:svc1/ip#0"));
  CHECK(alias() == "plumb:svc1/ip#0");
  must(set_alias(host.socket, host.eth0.index, "other"));
  CHECK(alias() == "other");
  must(set_alias(host.socket, host.eth0.index, ""));
  CHECK(alias().empty());
  CHECK_FALSE(set_alias(host.socket, host.eth0.index, std::string(256, 'x')));
  CHECK(set_alias(host.socket, 4711, "x").error().kind == ErrorKind::not_found);
}

TEST_CASE("up and down") {
  test::Lan lan;
  auto host = lan.plug();
  must(set_up(host.socket, host.eth0.index, false));
  CHECK_FALSE(must(find_link(host.socket, host.eth0.index)).value().up);
  must(set_up(host.socket, host.eth0.index));
  must(set_up(host.socket, host.eth0.index));
  CHECK(must(find_link(host.socket, host.eth0.index)).value().up);
  CHECK(set_up(host.socket, 4711).error().kind == ErrorKind::not_found);
}

TEST_CASE("a link is removed, and removing it again is a success: lo stays") {
  test::Lan lan;
  auto host = lan.plug();
  auto target = test::make_node();
  const auto link = must(create_macvlan(host.socket, target.socket, macvlan_on(host.eth0.index)));
  must(remove_link(target.socket, link.index));
  CHECK_FALSE(must(find_link(target.socket, link.index)));
  must(remove_link(target.socket, link.index));
  CHECK(remove_link(target.socket, 1).error().kind == ErrorKind::unsupported);
  // The MAC and the name are free at once: a restart within milliseconds works.
  auto spec = macvlan_on(host.eth0.index);
  spec.mac = link.mac;
  CHECK(must(create_macvlan(host.socket, target.socket, spec)).mac == link.mac);
}

TEST_CASE("further names are added, shown, refused when taken, and removed") {
  test::Lan lan;
  auto host = lan.plug();
  must(add_altname(host.socket, host.eth0.index, "plumb:svc1:ip#0"));
  must(add_altname(host.socket, host.eth0.index, "plumb:svc2:ip#0"));
  CHECK(must(find_link(host.socket, host.eth0.index)).value().altnames ==
        std::vector<std::string>{"plumb:svc1:ip#0", "plumb:svc2:ip#0"});
  const auto again = add_altname(host.socket, host.eth0.index, "plumb:svc1:ip#0");
  REQUIRE_FALSE(again);
  CHECK(again.error().kind == ErrorKind::exists);
  must(remove_altname(host.socket, host.eth0.index, "plumb:svc1:ip#0"));
  must(remove_altname(host.socket, host.eth0.index, "plumb:svc1:ip#0"));
  CHECK(must(find_link(host.socket, host.eth0.index)).value().altnames == std::vector<std::string>{"plumb:svc2:ip#0"});
}

// Somebody else's device must not make the others invisible.
TEST_CASE("a device with as many and as long further names as the kernel takes is read, and so are those beside it") {
  test::Lan lan;
  auto host = lan.plug();
  std::size_t taken = 0;
  const auto name = [&] { return std::string(110, 'x') + std::to_string(taken); };
  while (taken < 1000 && add_altname(host.socket, host.eth0.index, name())) ++taken;
  CHECK(taken > 300);
  CHECK(taken < 1000);
  const auto eth0 = find_link(host.socket, host.eth0.index);
  REQUIRE(eth0);
  CHECK(eth0->value().altnames.size() == taken);
  const auto all = links(host.socket);
  REQUIRE(all);
  CHECK(all->size() == 2);
  CHECK(find_link(host.socket, 1).value());
}

}  // namespace
}  // namespace plumb::netns
