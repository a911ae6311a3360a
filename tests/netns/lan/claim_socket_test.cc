// What the claims of a node hear on a LAN, on real namespaces.
#include "netns/lan/claim_socket.h"

#include <doctest/doctest.h>
#include <linux/if_ether.h>
#include <net/if.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "netns/namespace/enter.h"
#include "netns/wire/arp.h"
#include "specs/value/unique_fd.h"
#include "tests/netns/lan.h"

namespace plumb::netns {
namespace {

using test::ip;
using test::mac;
using test::must;
using What = LanFrame::What;

const Mac& stranger() {
  static const Mac its = mac("02:00:00:00:00:99");
  return its;
}

// A claim socket on a station of the LAN, for one address of each family.
struct Ear {
  explicit Ear(const test::Station& station)
      : socket(must(ClaimSocket::open(std::make_shared<const Namespace>(must(station.ns.dup())), station.eth0.index))) {
    for (const char* address : {"10.0.3.3", "fd00:3::3"}) must(socket.listen_for(ip(address)));
  }
  // The first frame of that kind, within 5 s.
  std::optional<LanFrame> hear(What what) const {
    for (;;) {
      while (auto frame = socket.read())
        if (frame->what == what) return frame;
      std::vector<pollfd> waiting;
      for (const int fd : socket.descriptors()) waiting.push_back({fd, POLLIN, 0});
      if (::poll(waiting.data(), waiting.size(), 5000) <= 0) return std::nullopt;
    }
  }
  ClaimSocket socket;
};

TEST_CASE("two of them hear each other's probes and hellos, and not their own") {
  test::Lan lan;
  const auto one = lan.plug();
  const auto other = lan.plug();
  const Ear here(one);
  const Ear there(other);
  for (const char* address : {"10.0.3.3", "fd00:3::3"}) {
    REQUIRE(here.socket.probe(ip(address)) == 0);
    const auto heard = there.hear(What::probe);
    REQUIRE(heard);
    CHECK(heard->address == ip(address));
    CHECK(heard->mac == *one.eth0.mac);
  }
  const std::vector<HelloEntry> entries{{HelloEntry::What::claim, 5, ip("10.0.3.3"), *one.eth0.mac, 1, 2, 3, 4}};
  REQUIRE(here.socket.hello("n1", entries) == 0);
  const auto hello = there.hear(What::hello);
  REQUIRE(hello);
  CHECK(hello->hello == HelloMessage{"n1", entries});
  CHECK(hello->mac == *one.eth0.mac);
  REQUIRE(there.socket.hello("n2", entries) == 0);
  REQUIRE(here.hear(What::hello));
  // The kernels of the LAN ask for their own addresses meanwhile.
  while (const auto more = here.socket.read()) CHECK(more->mac != *one.eth0.mac);
}

void set_mtu(const test::Station& station, int mtu) {
  must(run_in(station.ns, [&]() -> Result<void> {
    const UniqueFd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    ifreq request{};
    std::strcpy(&request.ifr_name[0], "eth0");
    request.ifr_mtu = mtu;
    if (::ioctl(fd.get(), SIOCSIFMTU, &request) != 0) return Err{errno_error(errno, "set the MTU")};
    return {};
  }));
}

TEST_CASE("a thousand claims are heard, also where the device takes no whole frame of an Ethernet's") {
  test::Lan lan;
  auto one = lan.plug();
  const auto other = lan.plug();
  const Ear here(one);
  const Ear there(other);
  std::vector<HelloEntry> entries;
  for (std::uint64_t i = 0; i < 1000; ++i)
    entries.push_back({HelloEntry::What::claim, 5, ip("10.0.3.3"), *one.eth0.mac, 1, 2, 3, i});
  for (const int mtu : {1500, 1400, 576}) {
    CAPTURE(mtu);
    set_mtu(one, mtu);
    REQUIRE(here.socket.hello("n1", entries) == 0);
    std::vector<HelloEntry> heard;
    while (heard.size() < entries.size()) {
      const auto hello = there.hear(What::hello);
      REQUIRE(hello);
      heard.insert(heard.end(), hello->hello.entries.begin(), hello->hello.entries.end());
    }
    CHECK(heard == entries);
    REQUIRE(here.socket.hello(std::string(255, 'n'), std::span(entries).first(1)) == 0);
    CHECK(there.hear(What::hello));
  }
}

TEST_CASE("who has the address answers a probe with its MAC, in either family") {
  test::Lan lan;
  const auto owner = lan.plug({"10.0.3.3/24", "fd00:3::3/64"});
  const auto asking = lan.plug();
  const Ear ear(asking);
  for (const char* address : {"10.0.3.3", "fd00:3::3"}) {
    REQUIRE(ear.socket.probe(ip(address)) == 0);
    const auto heard = ear.hear(What::use);
    REQUIRE(heard);
    CHECK(heard->address == ip(address));
    CHECK(heard->mac == *owner.eth0.mac);
  }
}

TEST_CASE("a claim is heard in both forms of ARP and as an advertisement") {
  test::Lan lan;
  const auto host = lan.plug();
  const auto other = lan.plug();
  const Ear ear(host);
  const auto mouth = must(PacketSocket::open(other.ns, other.eth0.index, 0));
  for (const auto operation : {ArpOperation::request, ArpOperation::reply}) {
    REQUIRE(mouth.send(encode_arp(broadcast_mac(),
                                  {operation, stranger(), ip("10.0.3.3"), zero_mac(), ip("10.0.3.100")})) == 0);
    const auto heard = ear.hear(What::use);
    REQUIRE(heard);
    CHECK(heard->mac == stranger());
  }
  REQUIRE(mouth.send(test::advertisement(stranger(), ip("fd00:3::3"))) == 0);
  const auto heard = ear.hear(What::use);
  REQUIRE(heard);
  CHECK(heard->address == ip("fd00:3::3"));
}

TEST_CASE("a device that goes away is no endless error, and nothing can be said there") {
  test::Lan lan;
  auto host = lan.plug({"10.0.3.3/24"});
  const Ear ear(host);
  must(remove_link(host.socket, host.eth0.index));
  // What had come before, such as the switch's own DAD, is read first; its queue is shorter than this.
  int left = 1000;
  while (left > 0 && ear.socket.read()) --left;
  CHECK(left > 0);
  CHECK(ear.socket.probe(ip("10.0.3.3")) != 0);
  CHECK_FALSE(ClaimSocket::open(std::make_shared<const Namespace>(must(host.ns.dup())), host.eth0.index));
}

}  // namespace
}  // namespace plumb::netns
