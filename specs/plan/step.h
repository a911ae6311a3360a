// A step of a plan: what is done, for which resource, and after which other steps.
//
// Each kind of step is a small type with just the operands that it has, all of them given when it is made. Threads:
// plain values. Privilege: none.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "specs/plan/observed.h"
#include "specs/service/service.h"
#include "specs/service/uplink.h"
#include "specs/value/ip.h"

namespace plumb {

// Where a step works: a device in the network namespace of a container, or one of the node's own.
struct Place {
  std::string container;  // its resource id; empty: the node's own namespace
  std::string device;     // "eth0"
};

// A container that is there already.
struct ContainerRef {
  std::string id;  // the engine's
  std::string name;
};

// An address that is to be handed over to this node.
struct WantedAddress {
  std::string ip;  // its resource
  IpAddress address;
  Place from;  // the device that its LAN is heard from, as in AddressProbe
  std::optional<IpAddress> gateway;
};

// What can be done. `kKind` is the name that plans, errors and JSON have for it.

// The service's private engine. Undo: EngineStop.
struct EngineStart {
  static constexpr std::string_view kKind = "engine.start";
};

struct EngineStop {
  static constexpr std::string_view kKind = "engine.stop";
};

// Present in the engine, pulled if not. Undo: nothing, an image is a cache.
struct ImageEnsure {
  static constexpr std::string_view kKind = "image.ensure";
  std::string image;
};

// Nobody else answers for the address. Undo: nothing to undo.
struct AddressProbe {
  static constexpr std::string_view kKind = "address.probe";
  Place from;  // the device that the question goes out of
  IpAddress address;
  std::optional<IpAddress> gateway;  // its answer says that somebody could hear the question
};

// The node that has the addresses is asked for them, and has withdrawn them. Undo: nothing.
struct AddressRequest {
  static constexpr std::string_view kKind = "address.request";
  std::vector<WantedAddress> wanted;
  bool force;  // they are free as well when nobody answers for them
};

// Renames an old container aside. Undo: renames it back.
struct ContainerRetire {
  static constexpr std::string_view kKind = "container.retire";
  ContainerRef container;
};

// Undo: ContainerRemove.
struct ContainerCreate {
  static constexpr std::string_view kKind = "container.create";
  std::string name;
  std::string image;
  std::vector<AnonymousVolume> volumes;  // of the container that it is made instead of
};

// Undo: stops it.
struct ContainerStart {
  static constexpr std::string_view kKind = "container.start";
  std::string name;
  std::optional<std::string> id;  // the engine's; none: of the one that this plan creates
  bool to_its_end;                // the step is over when the container has ended well
  bool runs;                      // already: it is only waited for, since it may have ended when its step begins
};

// A half-made link of a killed start. Undo: nothing, it was rubbish.
struct LinkRemoveStale {
  static constexpr std::string_view kKind = "link.remove-stale";
  Place link;
};

// In the target namespace, complete, up. Undo: LinkRemove.
struct LinkCreate {
  static constexpr std::string_view kKind = "link.create";
  Place link;
  std::string parent;  // the node's device that it hangs on; with mode dedicated: that becomes the link
  IpMode mode;
};

// Undo: AddressRemove.
struct AddressAdd {
  static constexpr std::string_view kKind = "address.add";
  Place place;
  Cidr cidr;
};

// The default route, also in the table that the link has to itself where it has neighbours. Undo: the route that was
// there before.
struct RouteSet {
  static constexpr std::string_view kKind = "route.set";
  Place place;
  bool v6;
  std::optional<IpAddress> gateway;  // none: straight out of the device
  bool main = true;                  // false: another link has that of the main table
};

// The node's route to the address. Undo: HostAccessRevoke.
struct HostAccessGrant {
  static constexpr std::string_view kKind = "host-access.grant";
  Place place;         // of the address
  std::string parent;  // the node's device that the link of `place` hangs on, and the node's own is to
  IpMode mode;         // of that link
  IpAddress address;
};

struct HostAccessRevoke {
  static constexpr std::string_view kKind = "host-access.revoke";
  std::string parent;  // the node's device that the node's own link hangs on
  IpAddress address;
};

// The node's VLAN device, made if missing. Undo: VlanRelease.
struct VlanTake {
  static constexpr std::string_view kKind = "vlan.take";
  VlanDevice vlan;
};

// Removed with its last user.
struct VlanRelease {
  static constexpr std::string_view kKind = "vlan.release";
  std::string device;
};

// The resource's ports of Open vSwitch, whose links are gone.
struct OvsRelease {
  static constexpr std::string_view kKind = "ovs.release";
};

// The first round now, the rest after. Undo: nothing.
struct AddressAnnounce {
  static constexpr std::string_view kKind = "address.announce";
  Place place;
  IpAddress address;
  std::optional<IpAddress> gateway;  // is told by itself, too
};

struct ContainerStop {
  static constexpr std::string_view kKind = "container.stop";
  ContainerRef container;
};

struct ContainerRemove {
  static constexpr std::string_view kKind = "container.remove";
  ContainerRef container;  // by the name that its resource has
  bool retired;            // it was put aside for another one of that name
  bool volumes;            // with its anonymous volumes and what they hold
};

struct AddressRemove {
  static constexpr std::string_view kKind = "address.remove";
  Place place;
  Cidr cidr;
};

struct LinkRemove {
  static constexpr std::string_view kKind = "link.remove";
  Place link;
  std::optional<std::string> origin;  // of a device of the node's that was given away: its name there, to go back to
};

// Who waits for the addresses is told that they are free.
struct AddressYield {
  static constexpr std::string_view kKind = "address.yield";
};

using Operation = std::variant<EngineStart, EngineStop, ImageEnsure, AddressProbe, AddressRequest, ContainerRetire,
                               ContainerCreate, ContainerStart, LinkRemoveStale, LinkCreate, AddressAdd, RouteSet,
                               HostAccessGrant, HostAccessRevoke, VlanTake, VlanRelease, OvsRelease, AddressAnnounce,
                               ContainerStop, ContainerRemove, AddressRemove, LinkRemove, AddressYield>;

struct Step {
  explicit Step(Operation what, std::string whose = {}) : operation(std::move(what)), resource(std::move(whose)) {}
  // With the resource's own say on whether the service can do without it.
  Step(Operation what, const Resource& whose) : Step(std::move(what), whose.id) { optional = whose.optional; }

  Operation operation;
  std::string resource;            // the resource it is done for: "ip#0"; empty for the engine
  std::vector<std::size_t> after;  // indices of the steps that must have ended well before
  // Of a resource that the service can do without: its failure is a warning, and ends the resource.
  bool optional = false;
  bool tolerate = false;  // a failure is a warning: the step only tidies up

  // "engine.start", "container.create".
  [[nodiscard]] std::string_view kind() const;
  // Whether it is one of these.
  template <typename... Operations>
  [[nodiscard]] bool is() const {
    return (std::holds_alternative<Operations>(operation) || ...);
  }
};

// The step in words, for people: "create container svc1.container.0 from ghcr.io/opensvc/pause".
[[nodiscard]] std::string describe(const Step& step);

}  // namespace plumb
