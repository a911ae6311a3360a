// A step of a plan: what is done, for which resource, and after which other steps.
//
// Threads: plain values. Privilege: none.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "specs/service/service.h"
#include "specs/value/ip.h"

namespace plumb {

enum class StepKind {
  engine_start,        // the service's private engine            undo: engine_stop
  engine_stop,         //
  image_ensure,        // present in the engine, pulled if not    undo: nothing, an image is a cache
  address_probe,       // nobody else answers for the address     undo: nothing to undo
  address_request,     // the node that has the addresses is asked for them, and has withdrawn them    undo: nothing
  container_retire,    // rename an old container aside           undo: rename it back
  container_create,    //                                         undo: container_remove
  container_start,     //                                         undo: stop it
  link_remove_stale,   // a half-made link of a killed start      undo: nothing, it was rubbish
  link_create,         // in the target namespace, complete, up   undo: link_remove
  address_add,         //                                         undo: address_remove
  route_set,           // default route                           undo: the route that was there before
  host_access_grant,   // the node's route to the address       undo: host_access_revoke
  host_access_revoke,  //
  vlan_take,           // the node's VLAN device, made if missing  undo: vlan_release
  vlan_release,        // removed with its last user
  ovs_release,         // ports of Open vSwitch whose links are gone
  address_announce,    // first round now, the rest after         undo: nothing
  container_stop,      //
  container_remove,    //
  address_remove,      //
  link_remove,         //
  address_yield,       // who waits for the addresses is told that they are free
};

// "engine.start", "container.create": as plans, errors and JSON name a step.
[[nodiscard]] std::string_view to_string(StepKind kind);

// An address that is to be handed over to this node.
struct WantedAddress {
  std::string ip;  // its resource
  IpAddress address;
};

struct Step {
  StepKind kind = StepKind::engine_start;
  std::string resource;            // the resource it is done for: "ip#0"; empty for the engine
  std::vector<std::size_t> after;  // indices of the steps that must have ended well before
  // Operands, as the kind needs them.
  std::string container;     // resource id of the container whose namespace is meant; empty: the node's own
  std::string container_id;  // of a container that exists already
  std::string container_name;
  std::string image;
  std::string device;  // the link in the namespace ("eth0")
  std::string parent;  // the node's device it hangs on
  IpMode mode = IpMode::automatic;
  bool probe_inside = false;  // the probe goes out of the device in the container
  bool to_its_end = false;    // of a container's start: it is over when the container has ended well
  std::optional<Cidr> cidr;
  std::optional<IpAddress> gateway;
  std::vector<WantedAddress> wanted;
  bool optional =
      false;  // of a resource that the service can do without: its failure is a warning, and ends the resource
  bool tolerate = false;  // a failure is a warning: the step only tidies up
};

// The step in words, for people: "create container svc1.container.0 from ghcr.io/opensvc/pause".
[[nodiscard]] std::string describe(const Step& step);

}  // namespace plumb
