#include "netns/lan/rival_watch.h"

#include <doctest/doctest.h>
#include <linux/if_ether.h>
#include <poll.h>

#include "netns/wire/arp.h"
#include "tests/netns/lan.h"

namespace plumb::netns {
namespace {

using test::ip;
using test::mac;
using test::must;

const Mac& stranger() {
  static const Mac its = mac("02:00:00:00:00:99");
  return its;
}

// The first claim that is heard, within 5 s.
std::optional<Mac> heard(RivalWatch& watch) {
  pollfd waiting{watch.fd(), POLLIN, 0};
  while (::poll(&waiting, 1, 5000) == 1)
    if (const auto its = watch.read()) return its;
  return std::nullopt;
}

bool is_silent(RivalWatch& watch) {
  pollfd waiting{watch.fd(), POLLIN, 0};
  return ::poll(&waiting, 1, 0) == 0 && !watch.read();
}

TEST_CASE("who claims the address is heard with its MAC, in both forms of ARP") {
  test::Lan lan;
  auto host = lan.plug({"10.0.3.3/24"});
  auto other = lan.plug();
  auto watch = must(RivalWatch::open(host.ns, host.eth0.index, ip("10.0.3.3")));
  CHECK(watch.mac() == *host.eth0.mac);
  const auto mouth = must(PacketSocket::open(other.ns, other.eth0.index, 0));
  for (const auto operation : {ArpOperation::request, ArpOperation::reply}) {
    REQUIRE(mouth.send(encode_arp(broadcast_mac(),
                                  {operation, stranger(), ip("10.0.3.3"), zero_mac(), ip("10.0.3.100")})) == 0);
    CHECK(heard(watch) == stranger());
  }
}

TEST_CASE("nothing else wakes it: other addresses, questions about ours, probes, and what is our own") {
  test::Lan lan;
  auto host = lan.plug({"10.0.3.3/24"});
  auto other = lan.plug();
  auto watch = must(RivalWatch::open(host.ns, host.eth0.index, ip("10.0.3.3")));
  const auto mouth = must(PacketSocket::open(other.ns, other.eth0.index, 0));
  const auto own = must(PacketSocket::open(host.ns, host.eth0.index, 0));
  const auto ask = [&](const char* sender) {
    return encode_arp(broadcast_mac(), {ArpOperation::request, stranger(), ip(sender), zero_mac(), ip("10.0.3.3")});
  };
  const auto ears = test::listen(host);
  REQUIRE(mouth.send(ask("10.0.3.100")) == 0);
  REQUIRE(mouth.send(ask("0.0.0.0")) == 0);
  REQUIRE(own.send(encode_arp(broadcast_mac(), {ArpOperation::request, *host.eth0.mac, ip("10.0.3.3"), zero_mac(),
                                                ip("10.0.3.3")})) == 0);
  // The last of them has arrived.
  REQUIRE(mouth.send(ask("10.0.3.77")) == 0);
  REQUIRE(test::capture(ears, [&](const Frame& frame) {
    const auto arp = decode_arp(frame);
    return arp && arp->sender_ip == ip("10.0.3.77");
  }));
  CHECK(is_silent(watch));
}

TEST_CASE("IPv6: an advertisement of the address by another host is heard, one of another address is not") {
  test::Lan lan;
  auto host = lan.plug({"fd00:3::3/64"});
  auto other = lan.plug();
  auto watch = must(RivalWatch::open(host.ns, host.eth0.index, ip("fd00:3::3")));
  const auto mouth = must(PacketSocket::open(other.ns, other.eth0.index, 0));
  REQUIRE(mouth.send(test::advertisement(stranger(), ip("fd00:3::4"))) == 0);
  const Mac last = mac("02:00:00:00:00:98");
  REQUIRE(mouth.send(test::advertisement(last, ip("fd00:3::3"))) == 0);
  CHECK(heard(watch) == last);
}

TEST_CASE("a device that goes away is no endless error") {
  test::Lan lan;
  auto host = lan.plug({"10.0.3.3/24"});
  auto watch = must(RivalWatch::open(host.ns, host.eth0.index, ip("10.0.3.3")));
  must(remove_link(host.socket, host.eth0.index));
  CHECK_FALSE(watch.read());
  CHECK(is_silent(watch));
  CHECK_FALSE(RivalWatch::open(host.ns, host.eth0.index, ip("10.0.3.3")));
}

}  // namespace
}  // namespace plumb::netns
