// What was seen of a service on one node: the engine's containers and the kernel's links, addresses and routes.
//
// Filled by plugin/verb/observer.h, read by the planner and the status. Threads: plain values. Privilege: none.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "specs/service/service.h"
#include "specs/value/ip.h"
#include "specs/value/result.h"

namespace plumb {

struct ObservedLink {
  int index = 0;
  std::string name;
  std::string kind;  // "macvlan", "veth", "bridge"; empty for a physical device
  std::optional<Mac> mac;
  unsigned mtu = 0;
  bool up = false;       // IFF_UP
  bool carrier = false;  // IFF_LOWER_UP
  int parent = 0;        // IFLA_LINK: index of the parent or the veth peer, in its own namespace
  int master = 0;        // index of the bridge it is a port of
  unsigned group = 0;    // IFLA_GROUP
  std::string alias = {};
  std::vector<std::string> altnames = {};
  std::string ipvlan_mode = {};                // "l2", "l3", "l3s"; empty for other kinds
  std::uint32_t carrier_downs = 0;             // so often it has lost its carrier
  unsigned vlan_id = 0;                        // the 802.1q tag of a vlan; 0 for other kinds
  std::vector<std::string> vlan_users = {};    // of a VLAN device of plumb's (specs/service/uplink.h)
  std::optional<Error> vlan_users_error = {};  // why they cannot be read
};

struct ObservedAddress {
  Cidr cidr;
  int link = 0;
  bool tentative = false;
  bool dadfailed = false;
  bool advertised = false;  // from a router or DHCP, with a lifetime
};

struct ObservedRoute {
  std::optional<Cidr> destination;  // nothing: the default route
  std::optional<IpAddress> gateway;
  int link = 0;
  bool v6 = false;
  bool own = false;  // in the table that its link has to itself, not in the main one
};

// A network namespace, known by the identity of its nsfs inode.
struct ObservedNetns {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::vector<ObservedLink> links;
  std::vector<ObservedAddress> addresses;
  std::vector<ObservedRoute> routes;

  // An alternative name is a name.
  [[nodiscard]] const ObservedLink* link(std::string_view name) const;
  [[nodiscard]] const ObservedLink* link(int index) const;
  [[nodiscard]] const ObservedAddress* address(const IpAddress& ip) const;
  [[nodiscard]] bool same_as(const ObservedNetns& other) const {
    return device == other.device && inode == other.inode;
  }
};

// Of a container, without a name of its own.
struct AnonymousVolume {
  std::string name;
  std::string target;  // absolute path in the container
  bool read_only = false;

  friend bool operator==(const AnonymousVolume&, const AnonymousVolume&) = default;
};

struct ObservedContainer {
  std::string id;
  std::string name;
  std::string image;
  std::string state;  // the engine's word: created, running, paused, restarting, removing, exited, dead
  bool running = false;
  int exit_code = 0;       // of the last run, when not running
  std::string started_at;  // RFC 3339, of the last run
  int pid = 0;             // only to be shown; namespaces are held by descriptor
  // The labels of the container itself. One that has them from its image, since that was made from a container of
  // plumb's, is not plumb's: they are empty then.
  std::string service;    // plumb.service; empty for a container that is not plumb's
  std::string resource;   // plumb.resource
  std::string spec_hash;  // plumb.spec-hash
  std::string network_mode;
  bool auto_remove = false;
  std::vector<AnonymousVolume> volumes = {};
  std::vector<std::string> extra_hosts = {};  // "name:address", those that plumb adds among them
  std::optional<ObservedNetns>
      netns;  // of a running container; links and so on only for the namespaces that plumb fills
};

enum class EngineState {
  unused,       // no resource of the service needs an engine
  unasked,      // the kernel says all that it would
  up,           // it answers
  down,         // a private engine that is not running, cleanly
  crashed,      // a private engine that is gone without having been stopped: its containers may still run
  unreachable,  // it should answer and does not
};

struct ObservedEngine {
  EngineState state = EngineState::unused;
  bool is_private = false;
  std::string socket;
  std::string version;
  bool keeps_joined = false;  // it refuses to remove a container whose namespace another one joins: Podman
  Error error;                // with unreachable
};

// What the node's Open vSwitch says; asked only for a service with mode = ovs.
struct ObservedSwitch {
  std::vector<std::string> bridges;
  std::map<std::string, std::vector<std::string>> ports;  // by resource id: those that this service's starts added
  std::optional<Error> error;                             // it could not be asked
};

struct Observed {
  ObservedEngine engine;
  // By resource id: the container that has the resource's name; where none has it, the one that was made for the
  // resource under another.
  std::map<std::string, ObservedContainer> containers;
  std::vector<ObservedContainer> leftovers;                    // made for this service, and no resource's
  ObservedNetns node;                                          // the namespace that plumb runs in
  std::map<std::string, std::vector<IpAddress>> names;         // host names of ipname, resolved
  std::map<std::string, Error> name_errors;                    // host names that did not resolve
  std::map<std::string, std::vector<IpAddress>> former_names;  // what they meant at the last start
  // Of a service that is started here they mean what they meant then; these are the other answers of today.
  std::map<std::string, std::vector<IpAddress>> new_names;
  // By device of the node: the mode of the ipvlans that others have on it, in namespaces of their own, and whose they
  // are ("service web", "process 4711 (nginx)").
  std::map<std::string, std::pair<IpMode, std::string>, std::less<>> ipvlan_parents;
  std::map<std::string, std::chrono::minutes> old_names;  // those of names that were not answered, with their age
  std::set<std::string, std::less<>> lacking_kinds;       // devices that the spec needs and the kernel does not know
  ObservedSwitch open_vswitch;
  std::set<IpAddress> probed_free;  // probed by this run already: nobody answered
  std::set<IpAddress> withheld;     // the watcher's claim keeps them off their links: it puts them back, nobody else
  bool after_a_kill = false;        // the verb before was killed: an address that is there may be unannounced
  bool unknown_here = false;        // nothing says that the service was started on this node
};

}  // namespace plumb
