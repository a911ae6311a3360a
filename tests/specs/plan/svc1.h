// The micro-container service of the reference, as a value, and what a node with nothing of it looks like.
#pragma once

#include "specs/plan/observed.h"
#include "specs/plan/spec_hash.h"
#include "specs/service/service.h"
#include "tests/specs/ip_names.h"

namespace plumb::test {

inline Service svc1() {
  Service s;
  s.name = "svc1";
  s.node = "n1";
  s.nodes = {"n1", "n2"};
  s.drpnodes = {"n3"};
  IpResource ip;
  ip.id = "ip#0";
  ip.type = IpType::netns;
  ip.names = ip_names({"10.0.3.3"});
  ip.ipdev = "eth0";
  ip.netmask_v4 = 24;
  ip.gateway = IpAddress::parse("10.0.3.1").value();
  ip.netns = "container#0";
  s.ips = {ip};
  ContainerResource pause;
  pause.id = "container#0";
  pause.name = "svc1.container.0";
  pause.image = "ghcr.io/opensvc/pause";
  pause.rm = true;
  ContainerResource web;
  web.id = "container#1";
  web.name = "svc1.container.1";
  web.image = "nginx";
  web.netns = "container#0";
  s.containers = {pause, web};
  return s;
}

inline Observed bare_node() {
  Observed o;
  o.engine.state = EngineState::up;
  o.node.inode = 1;
  o.node.links = {{1, "lo", "", {}, 65536, true, true, 0, 0},
                  {2, "eth0", "veth", Mac::parse("02:00:00:00:00:02").value(), 1500, true, true, 0, 0}};
  o.node.addresses = {{Cidr::parse("10.0.3.11/24").value(), 2, false, false}};
  return o;
}

// The service up and whole on it.
inline Observed whole() {
  Observed o = bare_node();
  ObservedContainer pause;
  pause.id = "aaa";
  pause.name = "svc1.container.0";
  pause.state = "running";
  pause.running = true;
  pause.service = "svc1";
  pause.resource = "container#0";
  ObservedNetns ns;
  ns.inode = 77;
  ns.links = {{5, "eth0", "macvlan", {}, 1500, true, true, 2, 0}};
  ns.addresses = {{Cidr::parse("10.0.3.3/24").value(), 5, false, false}};
  ns.routes = {{std::nullopt, IpAddress::parse("10.0.3.1").value(), 5}};
  auto web = pause;
  pause.netns = ns;
  web.id = "bbb";
  web.name = "svc1.container.1";
  web.netns = ObservedNetns{0, 77, {}, {}, {}};
  o.containers = {{"container#0", pause}, {"container#1", web}};
  return o;
}

// Both containers of `s` running on it, with `inside` as the link of their namespace and the address and route on it.
inline void run_both(const Service& s, Observed& o, const ObservedLink& inside) {
  for (const auto& c : s.containers) {
    ObservedContainer have;
    have.id = c.id == "container#0" ? "aaa" : "bbb";
    have.name = c.name;
    have.state = "running";
    have.running = true;
    have.service = s.name;
    have.resource = c.id;
    have.spec_hash = spec_hash(c);
    have.network_mode = c.id == "container#0" ? "none" : "container:aaa";
    have.netns = ObservedNetns{};
    have.netns->inode = 77;
    if (c.id == "container#0") {
      have.netns->links = {inside};
      have.netns->addresses = {{Cidr::parse("10.0.3.3/24").value(), inside.index, false, false}};
      have.netns->routes = {{std::nullopt, IpAddress::parse("10.0.3.1").value(), inside.index}};
    }
    o.containers[c.id] = have;
  }
}

}  // namespace plumb::test
