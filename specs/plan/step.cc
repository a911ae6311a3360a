#include "specs/plan/step.h"

#include <type_traits>

#include "specs/value/overloaded.h"

namespace plumb {

namespace {

std::string words(const Place& place) {
  return "on " + place.device + (place.container.empty() ? std::string{} : " in " + place.container);
}

std::string words(const EngineStart& /*start*/) { return "start the service's own Docker Engine"; }

std::string words(const EngineStop& /*stop*/) { return "stop the service's own Docker Engine"; }

std::string words(const ImageEnsure& ensure) { return "have image " + ensure.image; }

std::string words(const AddressProbe& probe) {
  return "probe " + probe.address.to_string() + " " + words(probe.from) + ": nobody else may answer";
}

std::string words(const AddressRequest& request) {
  std::string list;
  for (const auto& one : request.wanted) list += (list.empty() ? "" : " and ") + one.address.to_string();
  return "ask the node that has " + list + " to withdraw, and " +
         (request.force ? "go on when nobody answers" : "wait until it has");
}

std::string words(const ContainerRetire& retire) { return "put the old container " + retire.container.name + " aside"; }

std::string words(const ContainerCreate& create) {
  std::string out = "create container " + create.name + " from " + create.image;
  for (const auto& volume : create.volumes)
    out += (&volume == &create.volumes.front() ? ", with what the one before has in " : " and ") + volume.target;
  return out;
}

std::string words(const ContainerStart& start) {
  if (start.runs) return "await the end of container " + start.name;
  return start.to_its_end ? "run container " + start.name + " to its end" : "start container " + start.name;
}

std::string words(const LinkRemoveStale& remove) {
  return "remove the half-made " + remove.link.device + " in " + remove.link.container;
}

std::string words(const LinkCreate& create) {
  const auto& [container, device] = create.link;
  if (create.mode == IpMode::dedicated) return "move " + create.parent + " into " + container + " as " + device;
  return "create " + device + " (" + std::string(link_words(create.mode)) + create.parent + ") in " + container;
}

std::string words(const AddressAdd& add) { return "add " + add.cidr.to_string() + " " + words(add.place); }

std::string words(const RouteSet& set) {
  return std::string(set.main ? "route by default " : "route what its addresses send by default ") +
         (set.gateway ? "via " + set.gateway->to_string() + " " : std::string{}) + words(set.place);
}

std::string words(const HostAccessGrant& grant) {
  return "let the node reach " + grant.address.to_string() + " through a macvlan of its own on " + grant.parent;
}

std::string words(const HostAccessRevoke& revoke) {
  return "take the node's own way to " + revoke.address.to_string() + " away";
}

std::string words(const VlanTake& take) { return "have VLAN device " + take.vlan.name; }

std::string words(const VlanRelease& release) {
  return "leave VLAN device " + release.device + ", which goes with its last user";
}

std::string words(const AddressAnnounce& announce) {
  return "announce " + announce.address.to_string() + " " + words(announce.place);
}

std::string words(const ContainerStop& stop) { return "stop container " + stop.container.name; }

std::string words(const ContainerRemove& remove) {
  return "remove container " +
         (remove.retired ? "that was put aside for " + remove.container.name : remove.container.name) +
         (remove.volumes ? " and its anonymous volumes" : "");
}

std::string words(const AddressRemove& remove) {
  return "remove " + remove.cidr.to_string() + " " + words(remove.place);
}

std::string words(const LinkRemove& remove) {
  const auto& [container, device] = remove.link;
  if (!remove.origin) return "remove " + device + " in " + container;
  if (container.empty()) return "give " + device + " its name " + *remove.origin + " back";
  return "give " + device + " in " + container + " back to the node as " + *remove.origin;
}

std::string words(const AddressYield& /*yield*/) { return "tell who waits for the addresses that they are free"; }

}  // namespace

std::string_view Step::kind() const {
  return std::visit([](const auto& one) { return std::decay_t<decltype(one)>::kKind; }, operation);
}

std::string describe(const Step& step) {
  return std::visit(Overloaded{
                        [&](const OvsRelease&) { return "remove the port of " + step.resource + " from Open vSwitch"; },
                        [](const auto& one) { return words(one); },
                    },
                    step.operation);
}

}  // namespace plumb
