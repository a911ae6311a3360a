// The typed service model: what a spec says, for one node, with every scope and reference resolved.
//
// Made by specs/service/loader.h from a spec's text; read by the planner. Threads: plain values. Privilege: none.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "specs/language/position.h"
#include "specs/service/run_options.h"
#include "specs/value/ip.h"
#include "specs/value/ip_name.h"

namespace plumb {

using std::chrono::milliseconds;

// What every resource section has.
struct Resource {
  std::string id;  // "ip#0", "container#db": as written in the section's header
  Position where;  // of the section's header
  bool optional = false;
  bool disable = false;
  bool standby = false;  // up on every node of the service, wherever it is started
  bool monitor = false;
  int restart = 0;
  std::vector<std::string> tags;

  [[nodiscard]] bool has_tag(std::string_view word) const;
};

enum class IpType {
  host,   // an address on the node's own device
  netns,  // an address on a link that plumb makes in a container's namespace
  encap,  // an address on a device that a container has already (tags = encap)
};

// How the link in the namespace is made. `automatic`: bridge if ipdev is a bridge, else macvlan (decided from
// Observed).
enum class IpMode { automatic, bridge, macvlan, ipvlan_l2, ipvlan_l3, ipvlan_l3s, dedicated, ovs };

enum class ConflictPolicy {
  fail,      // refuse to start while a rival answers for the address
  warn,      // start all the same and say so
  takeover,  // start all the same: the announcements point the neighbours here, until the rival speaks again
};

enum class ProbeProfile {
  fast,  // three probes and an answer within about 120 ms
  rfc,   // the timers of RFC 5227 section 1.1: 4 to 7 seconds
  off,   // no probe
};

// How often an address is announced after it was claimed, the first time at once; and how often while nothing happens,
// by who looks after the service: switches forget a MAC after 300 s, and routers an ARP entry after 1200 s. 0: never.
struct AnnouncePolicy {
  unsigned count = 5;
  milliseconds interval{500};
  std::chrono::seconds period{60};
};

// A port that a program of the service is to listen on.
struct ExposedPort {
  unsigned port = 0;  // 1 to 65535
  bool udp = false;   // else TCP
};

struct IpResource : Resource {
  IpType type = IpType::host;
  std::vector<IpName> names;  // ipname, at least one
  std::map<IpName, Position> name_positions;
  std::string ipdev;                   // of the node; of the container for type encap
  std::optional<unsigned> netmask_v4;  // prefix lengths; default: that of the device's first address of the family
  std::optional<unsigned> netmask_v6;
  std::optional<IpAddress> gateway;
  std::string netns;  // id of the container whose namespace has the address; empty for type host
  IpMode mode = IpMode::automatic;
  std::optional<IfName> nsdev;  // default: the first free eth<n>
  std::optional<Mac> macaddr;
  std::optional<unsigned> mtu;       // default: the parent's
  std::optional<unsigned> vlan_tag;  // 802.1q, 1 to 4094
  std::string vlan_mode;             // of an Open vSwitch port: "access", "native-tagged", "native-untagged", or empty
  bool del_net_route = false;
  bool check_carrier = true;
  bool alias = true;
  bool source = false;       // of type host, IPv6: the node may use it for connections of its own
  bool accept_ra = false;    // addresses and routes from router advertisements
  bool host_access = false;  // the node itself reaches the address, through a macvlan of its own
  milliseconds wait_dns{0};  // a start waits so long for names that do not resolve yet
  std::vector<ExposedPort> expose;
  ConflictPolicy conflict = ConflictPolicy::fail;
  ProbeProfile probe = ProbeProfile::fast;
  milliseconds hello{1000};  // between two of the node that has it; 0: none is said
  AnnouncePolicy announce;
};

enum class PullPolicy {
  once,    // pull when the engine does not have the image (OpenSVC's default)
  always,  // pull at every start
};

struct VolumeMount {
  std::string source;  // absolute host path or volume name
  std::string target;  // absolute path in the container
  bool read_only = false;
  std::string options;      // the text after the second colon, as the engine takes it ("ro", "rw,z"); may be empty
  bool must_exist = false;  // docker's --mount type=bind: the engine makes no directory for a source that is missing
};

struct ContainerResource : Resource {
  std::string name;   // container name; default SERVICE.container.N
  std::string image;  // empty with `existing` or `builtin_pause`
  bool existing =
      false;  // only a name was given: an existing container is started and stopped, never created or removed
  bool builtin_pause = false;  // no image, or the image plumb/pause: the built-in image is loaded into the engine
  PullPolicy pull = PullPolicy::once;
  milliseconds pull_timeout{120'000};
  std::string subset;                       // started after those of subsets before it in the alphabet; empty is first
  std::string registry_creds;               // path of a docker config.json, or empty
  bool rm = false;                          // remove the container at stop
  std::string netns;                        // a container resource's id, "host", "none", or empty (which means none)
  std::string userns, pidns, ipcns, utsns;  // a container resource's id, "host", "private", or empty
  std::string hostname;
  std::string user;
  std::string cwd;
  std::vector<std::string> entrypoint;
  std::vector<std::string> command;
  std::map<std::string, std::string> environment;
  std::vector<VolumeMount> volume_mounts;
  std::vector<std::string> devices;  // "/dev/x[:/dev/y[:rwm]]"
  std::vector<std::string> dns;
  std::vector<std::string> dns_search;
  std::map<std::string, std::string> sysctl;
  bool privileged = false;
  bool read_only = false;
  bool init = false;
  bool interactive = false;
  bool tty = false;
  bool detach = true;
  RunOptions options;  // of run_args; what has a keyword is in that keyword's field
  milliseconds start_timeout{10'000};
  std::optional<milliseconds> stop_timeout;  // default: the container's own (10 s unless its image says otherwise)
};

// The namespaces in which a container can join another one, which is made before it.
inline constexpr std::array<std::string ContainerResource::*, 4> kJoinedNamespaces = {
    &ContainerResource::netns, &ContainerResource::pidns, &ContainerResource::ipcns, &ContainerResource::utsns};

// A service, as it is on one node.
struct Service {
  std::string name;
  std::string node;  // the node this was loaded for
  std::vector<std::string> nodes;
  std::vector<std::string> drpnodes;
  std::vector<std::string> encapnodes;
  std::string topology = "failover";  // or "flex"
  bool rollback = true;               // undo what this run did when a step fails
  std::string docker_data_dir;        // empty: the node's own engine
  std::vector<std::string> docker_daemon_args;
  std::string engine_socket;  // not of the file: of the node's engine that it was started on; empty: the environment's
  std::optional<milliseconds> timeout;        // of a whole verb
  std::optional<milliseconds> start_timeout;  // of `start`; default: timeout
  std::optional<milliseconds> stop_timeout;   // of `stop`; default: timeout
  bool handover = false;  // its addresses may be handed over between two nodes that both run its containers
  // How long who is to have them waits for who has. Default: no limit as long as that node is heard.
  std::optional<milliseconds> handover_timeout;
  bool handover_by_force = false;  // not of the file (`plumb activate --force`): they are taken when nobody answers
  std::vector<IpResource> ips;     // in the order of the file
  std::vector<ContainerResource> containers;  // in the order of the file

  // Whether the node is one of nodes or drpnodes.
  [[nodiscard]] bool has_node(std::string_view other) const;
  // Whether a resource of it is up on every node, wherever the service is started.
  [[nodiscard]] bool has_standby() const;
  // Nullptr when there is no such resource.
  [[nodiscard]] const ContainerResource* container(std::string_view id) const;
  // The containers of the service whose network, pid, ipc or uts namespace `joining` shares.
  [[nodiscard]] std::vector<const ContainerResource*> joined_by(const ContainerResource& joining) const;
};

}  // namespace plumb
