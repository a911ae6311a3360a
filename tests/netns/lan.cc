#include "tests/netns/lan.h"

#include <arpa/inet.h>
#include <linux/if.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "netns/address/neighbour.h"
#include "netns/address/sysctl.h"
#include "netns/link/carrier.h"
#include "netns/link/veth.h"
#include "netns/namespace/enter.h"
#include "netns/socket/message.h"
#include "netns/wire/ndp.h"

namespace plumb::netns::test {

using std::chrono::steady_clock;

void fail(const Error& error) {
  std::fprintf(stderr, "setting the stage failed: %s (%s)\n", error.what.c_str(), error.next.c_str());
  std::abort();
}

IpAddress ip(std::string_view text) { return must(IpAddress::parse(text)); }
Cidr cidr(std::string_view text) { return must(Cidr::parse(text)); }
Mac mac(std::string_view text) { return must(Mac::parse(text)); }
IfName ifname(std::string_view text) { return must(IfName::parse(text)); }

steady_clock::time_point soon() { return steady_clock::now() + std::chrono::seconds(5); }

Node make_node() {
  auto ns = must(Namespace::create());
  auto socket = must(RouteSocket::open(ns));
  must(set_up(socket, 1));  // lo is always number 1
  return Node{std::move(ns), std::move(socket)};
}

MacvlanSpec macvlan_on(int parent) { return {.parent_index = parent, .name = ifname("eth0"), .mac = {}, .mtu = {}}; }

int make_bridge(RouteSocket& socket, const IfName& name) {
  ifinfomsg header{};
  header.ifi_flags = IFF_UP;
  header.ifi_change = IFF_UP;
  Message message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, header);
  message.put(IFLA_IFNAME, name.str());
  message.nest(IFLA_LINKINFO, [&] { message.put(IFLA_INFO_KIND, std::string_view("bridge")); });
  const Answer answer = socket.exchange(message);
  if (!answer.ok()) fail(refusal(answer, "make a bridge"));
  return must(find_link(socket, name)).value().index;
}

Lan::Lan() : bridge_(make_node()), bridge_index_(make_bridge(bridge_.socket, ifname("br0"))) {}

Station Lan::plug(const std::vector<std::string>& addresses, std::optional<Mac> mac) {
  Node node = make_node();
  const std::string port = "port" + std::to_string(++ports_);
  const std::array<SysctlValue, 3> quiet{{{Sysctl::accept_dad, 0}, {Sysctl::accept_ra, 0}, {Sysctl::autoconf, 0}}};
  must(write_sysctls(node.ns, ifname("default"), quiet));
  auto pair = must(create_veth(
      bridge_.socket, node.socket,
      {.host_name = ifname(port), .bridge_index = bridge_index_, .name = ifname("eth0"), .mac = mac, .mtu = {}}));
  must(force_carrier(bridge_.socket, ifname(port)));
  must(force_carrier(node.socket, ifname("eth0")));
  for (const auto& address : addresses)
    must(add_address(node.socket, pair.target.index, cidr(address), {.nodad = true}));
  Link eth0 = must(find_link(node.socket, pair.target.index)).value();
  return Station{std::move(node), std::move(eth0), port};
}

PacketSocket listen(const Station& station) {
  return must(PacketSocket::open(station.ns, station.eth0.index, ETH_P_ALL));
}

std::vector<Frame> drain(const PacketSocket& socket) {
  std::vector<Frame> out;
  std::array<std::uint8_t, 2048> buffer{};
  while (const auto frame = must(socket.receive(buffer))) out.emplace_back(frame->begin(), frame->end());
  return out;
}

std::optional<Frame> capture(const PacketSocket& socket, const std::function<bool(const Frame&)>& wanted) {
  const auto deadline = soon();
  std::array<std::uint8_t, 2048> buffer{};
  while (steady_clock::now() < deadline) {
    pollfd entry{socket.fd(), POLLIN, 0};
    ::poll(&entry, 1, 100);
    while (const auto frame = must(socket.receive(buffer))) {
      Frame copy(frame->begin(), frame->end());
      if (wanted(copy)) return copy;
    }
  }
  return std::nullopt;
}

Frame advertisement(const Mac& sender, const IpAddress& address) {
  return encode_ndp(sender, multicast_mac(all_nodes()),
                    {.advertisement = true,
                     .source = address,
                     .destination = all_nodes(),
                     .target = address,
                     .link_layer = sender,
                     .override_flag = true});
}

std::optional<Mac> resolve(Node& node, int ifindex, const IpAddress& address) {
  const UniqueFd fd = must(run_in(node.ns, [&]() -> Result<UniqueFd> {
    return UniqueFd(::socket(address.family(), SOCK_DGRAM | SOCK_CLOEXEC, 0));
  }));
  sockaddr_storage to{};
  socklen_t size = sizeof(sockaddr_in);
  if (address.is_v6()) {
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(9);
    std::memcpy(&v6.sin6_addr, address.bytes().data(), 16);
    std::memcpy(&to, &v6, size = sizeof v6);
  } else {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(9);
    std::memcpy(&v4.sin_addr, address.bytes().data(), 4);
    std::memcpy(&to, &v4, sizeof v4);
  }
  static_cast<void>(::sendto(fd.get(), "x", 1, 0, reinterpret_cast<const sockaddr*>(&to), size));  // NOLINT
  const auto deadline = soon();
  while (steady_clock::now() < deadline) {
    const auto entry = must(find_neighbour(node.socket, ifindex, address));
    if (entry && entry->mac && entry->state != NeighbourState::incomplete) return entry->mac;
    ::poll(nullptr, 0, 1);
  }
  return std::nullopt;
}

std::size_t open_descriptors() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) ++count;
  return count;
}

}  // namespace plumb::netns::test
