// Two links of one namespace on one LAN, asked from another machine of it: each address has one MAC there.
#include "plugin/node/own_answers.h"

#include <doctest/doctest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <set>

#include "netns/address/neighbour.h"
#include "netns/address/sysctl.h"
#include "netns/link/moved_link.h"
#include "netns/namespace/enter.h"
#include "netns/wire/arp.h"
#include "netns/wire/ndp.h"
#include "plugin/node/own_way.h"
#include "tests/netns/lan.h"

namespace plumb {
namespace {

using netns::Frame;
using netns::Sysctl;
using netns::test::cidr;
using netns::test::ifname;
using netns::test::ip;
using netns::test::must;

using Owners = std::map<std::string, std::set<std::string>>;

// A service's namespace with eth0 and eth1 on the LAN, each with an address of both families and one more.
struct Twins {
  netns::test::Lan lan;
  netns::test::Station host = lan.plug();
  netns::test::Node inside = netns::test::make_node();
  netns::Link eth0 = add("eth0");
  netns::Link eth1 = add("eth1");
  netns::test::Station client = lan.plug({"10.0.3.100/24", "fd00:3::100/64"});

  void apart() {
    for (const auto* link : {&eth0, &eth1}) must(keep_answers_apart(inside.ns, link->name));
  }
  void number() {
    for (const char* address : {"10.0.3.3/24", "fd00:3::3/64", "10.0.3.30/24"}) put(eth0, address);
    for (const char* address : {"10.0.3.4/24", "fd00:3::1:0:3/64", "10.0.3.40/24"}) put(eth1, address);
  }

 private:
  netns::Link add(const char* name) {
    const std::array<netns::SysctlValue, 1> quiet{{{Sysctl::accept_dad, 0}}};
    must(netns::write_sysctls(inside.ns, ifname("default"), quiet));
    auto spec = netns::test::macvlan_on(host.eth0.index);
    spec.name = ifname(name);
    spec.up = true;
    return must(netns::find_link(inside.socket, must(netns::create_macvlan(host.socket, inside.socket, spec)).index))
        .value();
  }
  void put(const netns::Link& link, const char* address) {
    must(netns::add_address(inside.socket, link.index, cidr(address), {.nodad = true}));
  }
};

Frame question(const Mac& asker, const IpAddress& address) {
  if (!address.is_v6())
    return netns::encode_arp(netns::broadcast_mac(),
                             {netns::ArpOperation::request, asker, ip("10.0.3.100"), netns::zero_mac(), address});
  const auto group = netns::solicited_node(address);
  return netns::encode_ndp(asker, netns::multicast_mac(group),
                           {.advertisement = false,
                            .source = ip("fd00:3::100"),
                            .destination = group,
                            .target = address,
                            .link_layer = asker});
}

// Who answers for each of these. A macvlan's parent hands broadcasts to its links in their order, so once the last
// question has its answer, all others have theirs. IPv6 answers only once its work queue has joined the address' group,
// so it is asked until it does.
Owners owners(Twins& twins, const std::vector<std::string>& addresses, const std::string& last) {
  const auto socket = netns::test::listen(twins.client);
  Owners out;
  const auto note = [&](const Frame& frame) {
    if (const auto arp = netns::decode_arp(frame); arp && arp->operation == netns::ArpOperation::reply)
      out[arp->sender_ip.to_string()].insert(arp->sender_mac.to_string());
    if (const auto ndp = netns::decode_ndp(frame); ndp && ndp->advertisement && ndp->link_layer)
      out[ndp->target.to_string()].insert(ndp->link_layer->to_string());
  };
  for (const auto& address : addresses) {
    const auto deadline = netns::test::soon();
    do {
      CHECK(socket.send(question(*twins.client.eth0.mac, ip(address))) == 0);
      pollfd entry{socket.fd(), POLLIN, 0};
      ::poll(&entry, 1, 50);
      for (const auto& frame : netns::test::drain(socket)) note(frame);
    } while (ip(address).is_v6() && !out.contains(address) && std::chrono::steady_clock::now() < deadline);
  }
  CHECK(socket.send(question(*twins.client.eth0.mac, ip(last))) == 0);
  CHECK(netns::test::capture(socket, [&](const Frame& frame) {
    note(frame);
    return out.contains(last);
  }));
  out.erase(last);
  return out;
}

TEST_CASE("each link answers for its own addresses, of both families") {
  Twins twins;
  twins.apart();
  twins.number();
  const std::string first = twins.eth0.mac->to_string();
  const std::string second = twins.eth1.mac->to_string();
  const Owners expected{
      {"10.0.3.3", {first}}, {"fd00:3::3", {first}}, {"10.0.3.4", {second}}, {"fd00:3::1:0:3", {second}}};
  for (const char* last : {"10.0.3.30", "10.0.3.40"})
    CHECK(owners(twins, {"10.0.3.3", "fd00:3::3", "10.0.3.4", "fd00:3::1:0:3"}, last) == expected);
}

TEST_CASE("by itself the kernel answers with both links for an IPv4 address, and with its own for one of IPv6") {
  Twins twins;
  twins.number();
  const std::string first = twins.eth0.mac->to_string();
  const std::string second = twins.eth1.mac->to_string();
  auto found = owners(twins, {"fd00:3::3", "10.0.3.3", "fd00:3::1:0:3", "10.0.3.4"}, "10.0.3.40");
  for (const auto& [address, macs] : owners(twins, {"10.0.3.3", "10.0.3.4"}, "10.0.3.30"))
    found[address].insert(macs.begin(), macs.end());
  CHECK(found["10.0.3.3"] == std::set{first, second});
  CHECK(found["10.0.3.4"] == std::set{first, second});
  CHECK(found["fd00:3::3"] == std::set{first});
  CHECK(found["fd00:3::1:0:3"] == std::set{second});
}

socklen_t name_of(sockaddr_storage& name, const IpAddress& address, std::uint16_t port) {
  if (address.is_v6()) {
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    std::memcpy(&v6.sin6_addr, address.bytes().data(), 16);
    std::memcpy(&name, &v6, sizeof v6);
    return sizeof v6;
  }
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(port);
  std::memcpy(&v4.sin_addr, address.bytes().data(), 4);
  std::memcpy(&name, &v4, sizeof v4);
  return sizeof v4;
}

// A datagram socket of the namespace, bound to the address. Those that are sent to have port 9.
UniqueFd bound_to(const netns::test::Node& node, const IpAddress& address, std::uint16_t port) {
  sockaddr_storage name{};
  const socklen_t size = name_of(name, address, port);
  UniqueFd fd = must(netns::run_in(node.ns, [&]() -> Result<UniqueFd> {
    return UniqueFd(::socket(address.family(), SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  }));
  CHECK(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&name), size) == 0);  // NOLINT
  return fd;
}

void send_to(const UniqueFd& fd, const IpAddress& address) {
  sockaddr_storage name{};
  const socklen_t size = name_of(name, address, 9);
  CHECK(::sendto(fd.get(), "x", 1, 0, reinterpret_cast<const sockaddr*>(&name), size) == 1);  // NOLINT
}

// How what `from` sends arrives at the client: the Ethernet source of the datagram, and for IPv4 with which address its
// MAC was asked for before.
struct Sent {
  std::string source;
  std::set<std::string> asked_with;
};
Sent sent(Twins& twins, const char* from) {
  const auto socket = netns::test::listen(twins.client);
  const auto address = ip(from);
  const auto sender = bound_to(twins.inside, address, 0);
  send_to(sender, ip(address.is_v6() ? "fd00:3::100" : "10.0.3.100"));
  Sent out;
  const auto bytes = address.bytes();
  const std::size_t at = address.is_v6() ? 22 : 26;  // of the source in the frame
  CHECK(netns::test::capture(socket, [&](const Frame& frame) {
    if (const auto arp = netns::decode_arp(frame); arp && arp->operation == netns::ArpOperation::request)
      out.asked_with.insert(arp->sender_mac.to_string() + " " + arp->sender_ip.to_string());
    const bool v6 = frame[12] == 0x86 && frame[13] == 0xdd && frame[20] == IPPROTO_UDP;
    const bool v4 = frame[12] == 0x08 && frame[13] == 0 && frame[23] == IPPROTO_UDP;
    if (!v4 && !v6) return false;
    if (!std::equal(bytes.begin(), bytes.end(), frame.begin() + static_cast<std::ptrdiff_t>(at))) return false;
    out.source = must(Mac::from_bytes(std::span(frame).subspan(6, 6))).to_string();
    return true;
  }));
  return out;
}

TEST_CASE("what an address sends leaves by its own link, and asks with that link's address") {
  Twins twins;
  twins.apart();
  twins.number();
  const std::string first = twins.eth0.mac->to_string();
  const std::string second = twins.eth1.mac->to_string();
  for (const auto& [link, address] : {std::pair{&twins.eth0, "10.0.3.3/24"},
                                      {&twins.eth0, "fd00:3::3/64"},
                                      {&twins.eth1, "10.0.3.4/24"},
                                      {&twins.eth1, "fd00:3::1:0:3/64"}})
    for (int times = 0; times < 2; ++times) must(give_own_way(twins.inside.socket, link->index, cidr(address), true));
  CHECK(sent(twins, "10.0.3.3").source == first);
  CHECK(sent(twins, "fd00:3::3").source == first);
  const auto by_second = sent(twins, "10.0.3.4");
  CHECK(by_second.source == second);
  CHECK(by_second.asked_with == std::set<std::string>{second + " 10.0.3.4"});
  CHECK(sent(twins, "fd00:3::1:0:3").source == second);
  // Withdrawn, it is as if it had never been.
  for (const char* address : {"10.0.3.4", "fd00:3::1:0:3", "10.0.3.99"})
    must(take_own_way(twins.inside.socket, ip(address)));
  CHECK(sent(twins, "10.0.3.4").source == first);
  CHECK(sent(twins, "fd00:3::1:0:3").source == first);
}

TEST_CASE("without a way of its own an address sends by the first link, and only arp_announce keeps the LAN from it") {
  for (const bool apart : {false, true}) {
    CAPTURE(apart);
    Twins twins;
    if (apart) twins.apart();
    twins.number();
    const std::string first = twins.eth0.mac->to_string();
    const auto out = sent(twins, "10.0.3.4");
    CHECK(out.source == first);
    CHECK(out.asked_with == std::set<std::string>{first + (apart ? " 10.0.3.3" : " 10.0.3.4")});
  }
}

// Whether a datagram of the client arrives at the second link's address, under a strict filter that the namespace came
// with. What comes to the first link later has come when the answer is known.
bool heard_by_second(Twins& twins) {
  const auto first = bound_to(twins.inside, ip("10.0.3.3"), 9);
  const auto second = bound_to(twins.inside, ip("10.0.3.4"), 9);
  const auto client = bound_to(twins.client, ip("10.0.3.100"), 0);
  for (const auto& [address, link] : {std::pair{"10.0.3.4", &twins.eth1}, {"10.0.3.3", &twins.eth0}}) {
    must(netns::set_neighbour(twins.client.socket, twins.client.eth0.index, ip(address), *link->mac));
    send_to(client, ip(address));
  }
  pollfd entry{first.get(), POLLIN, 0};
  CHECK(::poll(&entry, 1, 5000) == 1);
  char byte = 0;
  return ::recv(second.get(), &byte, 1, 0) == 1;
}

TEST_CASE("under a strict rp_filter the second link hears, which it does not by itself") {
  for (const bool apart : {false, true}) {
    CAPTURE(apart);
    Twins twins;
    const std::array<netns::SysctlValue, 1> strict{{{Sysctl::rp_filter, 1}}};
    must(netns::write_sysctls(twins.inside.ns, ifname("all"), strict));
    if (apart) twins.apart();
    twins.number();
    CHECK(heard_by_second(twins) == apart);
    CHECK(must(netns::read_sysctl(twins.inside.ns, ifname("eth1"), Sysctl::rp_filter)) == (apart ? 2 : 0));
    CHECK(must(netns::read_sysctl(twins.inside.ns, ifname("lo"), Sysctl::arp_ignore)) == 0);
  }
}

TEST_CASE("a device that goes back to the node has forgotten it") {
  Twins twins;
  const auto there = must(netns::move_link(twins.client.socket, twins.inside.socket,
                                           {twins.client.eth0.index, ifname("eth2"), "lent", {}, {}, true}));
  must(keep_answers_apart(twins.inside.ns, there.name));
  CHECK(must(netns::read_sysctl(twins.inside.ns, there.name, Sysctl::arp_ignore)) == 1);
  const auto back =
      must(netns::move_link(twins.inside.socket, twins.client.socket, {there.index, ifname("eth0"), "", {}, {}, true}));
  for (const auto key : {Sysctl::arp_ignore, Sysctl::arp_announce})
    CHECK(must(netns::read_sysctl(twins.client.ns, back.name, key)) == 0);
}

}  // namespace
}  // namespace plumb
