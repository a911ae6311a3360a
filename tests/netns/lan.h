// A LAN of namespaces for tests: a bridge in a namespace of its own, stations with an eth0 on it. Real kernel, no host
// device.
//
// Threads: one. Privilege: root. Everything is gone when the objects are.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "netns/address/address.h"
#include "netns/link/link.h"
#include "netns/link/upper_link.h"
#include "netns/namespace/namespace.h"
#include "netns/socket/packet_socket.h"
#include "netns/socket/route_socket.h"
#include "netns/wire/frame.h"
#include "specs/value/ip.h"

namespace plumb::netns::test {

// Values from literals; a wrong literal aborts the test program.
IpAddress ip(std::string_view text);
Cidr cidr(std::string_view text);
Mac mac(std::string_view text);
IfName ifname(std::string_view text);

// The value, or aborts after printing the error: for steps that set the stage.
[[noreturn]] void fail(const Error& error);
template <typename T>
T must(Result<T> result) {
  if (!result) fail(result.error());
  return std::move(result).value();
}
inline void must(Result<void> result) {
  if (!result) fail(result.error());
}

// A namespace with lo up and a netlink socket.
struct Node {
  Namespace ns;
  RouteSocket socket;
};
Node make_node();

// A node with eth0 on a LAN.
struct Station : Node {
  Link eth0;
  std::string port;  // of the bridge
};

class Lan {
 public:
  Lan();
  // A new machine on the LAN; its frames pass at once. Its addresses are usable at once, without detection.
  Station plug(const std::vector<std::string>& addresses = {}, std::optional<Mac> mac = {});
  Node& bridge() { return bridge_; }
  [[nodiscard]] int bridge_index() const { return bridge_index_; }

 private:
  Node bridge_;
  int bridge_index_ = 0;
  int ports_ = 0;
};

// A macvlan that is to be eth0, with the kernel's MAC and the parent's MTU.
MacvlanSpec macvlan_on(int parent);

// A bridge device, up. Returns its index.
int make_bridge(RouteSocket& socket, const IfName& name);

// Waits (at most 5 s) for a frame that `wanted` likes, and returns it; nullopt when none came.
std::optional<Frame> capture(const PacketSocket& socket, const std::function<bool(const Frame&)>& wanted);
// All frames that wait in the socket now.
std::vector<Frame> drain(const PacketSocket& socket);
// A packet socket for every frame that reaches eth0 of the station.
PacketSocket listen(const Station& station);

// An unsolicited advertisement, as who has the address sends it.
Frame advertisement(const Mac& sender, const IpAddress& address);

// A UDP datagram to the address, so that the kernel resolves its MAC; returns once the neighbour entry has one (at most
// 5 s).
std::optional<Mac> resolve(Node& node, int ifindex, const IpAddress& address);

// Descriptors of this process that are open.
std::size_t open_descriptors();

// In 5 s, when anything that works has long happened.
std::chrono::steady_clock::time_point soon();

}  // namespace plumb::netns::test
