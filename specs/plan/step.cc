#include "specs/plan/step.h"

#include "specs/service/uplink.h"

namespace plumb {

std::string_view to_string(StepKind kind) {
  switch (kind) {
    case StepKind::engine_start: return "engine.start";
    case StepKind::engine_stop: return "engine.stop";
    case StepKind::image_ensure: return "image.ensure";
    case StepKind::address_probe: return "address.probe";
    case StepKind::address_request: return "address.request";
    case StepKind::container_retire: return "container.retire";
    case StepKind::container_create: return "container.create";
    case StepKind::container_start: return "container.start";
    case StepKind::link_remove_stale: return "link.remove-stale";
    case StepKind::link_create: return "link.create";
    case StepKind::address_add: return "address.add";
    case StepKind::route_set: return "route.set";
    case StepKind::host_access_grant: return "host-access.grant";
    case StepKind::host_access_revoke: return "host-access.revoke";
    case StepKind::vlan_take: return "vlan.take";
    case StepKind::vlan_release: return "vlan.release";
    case StepKind::ovs_release: return "ovs.release";
    case StepKind::address_announce: return "address.announce";
    case StepKind::container_stop: return "container.stop";
    case StepKind::container_remove: return "container.remove";
    case StepKind::address_remove: return "address.remove";
    case StepKind::link_remove: return "link.remove";
    case StepKind::address_yield: return "address.yield";
  }
  return "unknown";
}

namespace {

std::string address_of(const Step& step) { return step.cidr ? step.cidr->to_string() : std::string{}; }

std::string place_of(const Step& step) {
  return step.container.empty() ? "on " + step.parent : "on " + step.device + " in " + step.container;
}

std::string list_of(const std::vector<WantedAddress>& wanted) {
  std::string out;
  for (const auto& one : wanted) out += (out.empty() ? "" : " and ") + one.address.to_string();
  return out;
}

}  // namespace

std::string describe(const Step& step) {
  switch (step.kind) {
    case StepKind::engine_start: return "start the service's own Docker Engine";
    case StepKind::engine_stop: return "stop the service's own Docker Engine";
    case StepKind::image_ensure: return "have image " + step.image;
    case StepKind::address_probe:
      return "probe " + step.cidr->address().to_string() + " on " +
             (step.probe_inside ? step.device + " in " + step.container : step.parent) + ": nobody else may answer";
    case StepKind::address_request:
      return "ask the node that has " + list_of(step.wanted) + " to withdraw, and wait until it has";
    case StepKind::container_retire: return "put the old container " + step.container_name + " aside";
    case StepKind::container_create: return "create container " + step.container_name + " from " + step.image;
    case StepKind::container_start:
      return step.to_its_end ? "run container " + step.container_name + " to its end"
                             : "start container " + step.container_name;
    case StepKind::link_remove_stale: return "remove the half-made " + step.device + " in " + step.container;
    case StepKind::link_create:
      if (step.mode == IpMode::dedicated)
        return "move " + step.parent + " into " + step.container + " as " + step.device;
      return "create " + step.device + " (" + std::string(link_words(step.mode)) + step.parent + ") in " +
             step.container;
    case StepKind::address_add: return "add " + address_of(step) + " " + place_of(step);
    case StepKind::route_set:
      return "route by default " + (step.gateway ? "via " + step.gateway->to_string() + " " : std::string{}) +
             place_of(step);
    case StepKind::host_access_grant:
      return "let the node reach " + step.cidr->address().to_string() + " through a macvlan of its own on " +
             step.parent;
    case StepKind::host_access_revoke:
      return "take the node's own way to " + step.cidr->address().to_string() + " away";
    case StepKind::vlan_take: return "have VLAN device " + step.parent;
    case StepKind::vlan_release: return "leave VLAN device " + step.parent + ", which goes with its last user";
    case StepKind::ovs_release: return "remove the port of " + step.resource + " from Open vSwitch";
    case StepKind::address_announce: return "announce " + step.cidr->address().to_string() + " " + place_of(step);
    case StepKind::container_stop: return "stop container " + step.container_name;
    case StepKind::container_remove: return "remove container " + step.container_name;
    case StepKind::address_remove: return "remove " + address_of(step) + " " + place_of(step);
    case StepKind::link_remove:
      if (step.container.empty()) return "give " + step.device + " its name " + step.parent + " back";
      if (step.mode == IpMode::dedicated)
        return "give " + step.device + " in " + step.container + " back to the node as " + step.parent;
      return "remove " + step.device + " in " + step.container;
    case StepKind::address_yield: return "tell who waits for the addresses that they are free";
  }
  return {};
}

}  // namespace plumb
