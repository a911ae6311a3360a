#include "specs/plan/own_macs.h"

#include <doctest/doctest.h>

#include "specs/plan/host_access.h"
#include "tests/specs/plan/svc1.h"

using namespace plumb;

namespace {

Mac mac(int last) { return Mac::parse("02:00:00:00:00:0" + std::to_string(last)).value(); }

ObservedLink link(int index, const char* name, int last) {
  return {index, name, "macvlan", mac(last), 1500, true, true, 2, 0};
}

// The service with two links, on a node with two ports and its own link to services.
Observed seen() {
  auto out = test::bare_node();
  const Service service = test::svc1();
  test::run_both(service, out, link(5, "eth0", 1));
  out.containers["container#0"].netns->links.push_back(link(6, "eth1", 2));
  out.containers["container#0"].netns->links.push_back({1, "lo", "", mac(9), 65536, true, true, 0, 0});
  out.node.links = {link(2, "eth0", 3), link(3, "eth9", 4), link(4, "plh2", 5)};
  return out;
}

}  // namespace

TEST_CASE("the devices of the service's namespaces are its own, and no other's") {
  CHECK(own_macs(test::svc1().ips[0], seen()) == std::set{mac(1), mac(2)});
}

TEST_CASE("the node's devices are own where the node has the address, and nowhere else") {
  auto ip = test::svc1().ips[0];
  ip.type = IpType::host;
  // The links to services that another service may ask for later, too.
  CHECK(own_macs(ip, seen()) ==
        std::set{mac(1), mac(2), mac(3), mac(4), mac(5), host_link_mac(mac(3)), host_link_mac(mac(4))});
  // A container on the node's own network is no other namespace.
  auto o = seen();
  o.containers["container#1"].netns = o.node;
  CHECK(own_macs(test::svc1().ips[0], o) == std::set{mac(1), mac(2)});
}
