#include "netns/lan/announce.h"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "netns/address/neighbour.h"
#include "netns/wire/arp.h"
#include "netns/wire/ndp.h"
#include "tests/netns/lan.h"

namespace plumb::netns {
namespace {

using test::cidr;
using test::Frame;
using test::ip;
using test::must;

Announcement announcement(const test::Station& station, const char* address) {
  return {.ifindex = station.eth0.index,
          .mac = *station.eth0.mac,
          .address = ip(address),
          .gateway = {},
          .gateway_mac = {}};
}

// Waits until the witness has heard the announcement that the last send() made: what came before it has been handled.
void wait_heard(const PacketSocket& ears, const IpAddress& address) {
  CHECK(test::capture(ears, [&](const Frame& frame) {
    const auto arp = decode_arp(frame);
    const auto ndp = decode_ndp(frame);
    return (arp && arp->operation == ArpOperation::reply && arp->sender_ip == address) ||
           (ndp && ndp->advertisement && ndp->target == address);
  }));
}

TEST_CASE("a neighbour with the old owner's MAC has the new one at once") {
  for (const char* address : {"10.0.3.3", "fd00:3::3"}) {
    CAPTURE(address);
    const Cidr wanted = cidr(std::string(address) + (ip(address).is_v6() ? "/64" : "/24"));
    test::Lan lan;
    auto peer = lan.plug({"10.0.3.9/24", "fd00:3::9/64"});
    auto old_owner = lan.plug({wanted.to_string()});
    auto new_owner = lan.plug();
    REQUIRE(test::resolve(peer, peer.eth0.index, ip(address)) == old_owner.eth0.mac);
    must(remove_link(old_owner.socket, old_owner.eth0.index));
    must(add_address(new_owner.socket, new_owner.eth0.index, wanted, {.nodad = true}));
    const auto cached = [&] { return must(find_neighbour(peer.socket, peer.eth0.index, ip(address))).value().mac; };
    CHECK(cached() == old_owner.eth0.mac);  // the trouble that users have
    const auto ears = test::listen(peer);
    auto announcer = must(Announcer::open(new_owner.ns, announcement(new_owner, address)));
    CHECK(announcer.send() == announcer.frames());
    wait_heard(ears, ip(address));
    CHECK(cached() == new_owner.eth0.mac);
  }
}

TEST_CASE("a second round repairs what a lost first one left") {
  test::Lan lan;
  auto peer = lan.plug({"10.0.3.9/24"});
  auto old_owner = lan.plug({"10.0.3.3/24"});
  auto new_owner = lan.plug();
  REQUIRE(test::resolve(peer, peer.eth0.index, ip("10.0.3.3")) == old_owner.eth0.mac);
  must(remove_link(old_owner.socket, old_owner.eth0.index));
  must(add_address(new_owner.socket, new_owner.eth0.index, cidr("10.0.3.3/24")));
  const auto cached = [&] { return must(find_neighbour(peer.socket, peer.eth0.index, ip("10.0.3.3"))).value().mac; };
  auto announcer = must(Announcer::open(new_owner.ns, announcement(new_owner, "10.0.3.3")));
  // The first round is lost on the way: the switch's port is not attached.
  const auto port = must(find_link(lan.bridge().socket, test::ifname(new_owner.port))).value();
  must(set_up(lan.bridge().socket, port.index, false));
  announcer.send();
  CHECK(cached() == old_owner.eth0.mac);
  must(set_up(lan.bridge().socket, port.index, true));
  must(force_carrier(lan.bridge().socket, test::ifname(new_owner.port)));
  must(force_carrier(new_owner.socket, test::ifname("eth0")));
  const auto ears = test::listen(peer);
  CHECK(announcer.send() == announcer.frames());
  wait_heard(ears, ip("10.0.3.3"));
  CHECK(cached() == new_owner.eth0.mac);
}

TEST_CASE("one round has both ARP forms and asks for the gateway") {
  test::Lan lan;
  auto owner = lan.plug({"10.0.3.3/24"});
  auto witness = lan.plug();
  auto what = announcement(owner, "10.0.3.3");
  what.gateway = ip("10.0.3.1");
  const auto ears = test::listen(witness);
  auto announcer = must(Announcer::open(owner.ns, what));
  CHECK(announcer.frames() == 3);
  CHECK(announcer.send() == 3);
  std::vector<ArpPacket> heard;
  CHECK(test::capture(ears, [&](const Frame& frame) {
    if (const auto arp = decode_arp(frame)) heard.push_back(*arp);
    return heard.size() == 3;
  }));
  REQUIRE(heard.size() == 3);
  for (const auto& packet : heard) {
    CHECK(packet.sender_ip == ip("10.0.3.3"));
    CHECK(packet.sender_mac == *owner.eth0.mac);
  }
  CHECK(heard[0].operation == ArpOperation::request);
  CHECK(heard[0].target_ip == ip("10.0.3.3"));
  CHECK(heard[1].operation == ArpOperation::reply);
  CHECK(heard[1].target_ip == ip("10.0.3.3"));
  CHECK(heard[2].operation == ArpOperation::request);
  CHECK(heard[2].target_ip == ip("10.0.3.1"));
  CHECK(announcer.sent() == 3);
  CHECK(announcer.failed() == 0);
  CHECK(announcer.last_errno() == 0);
}

TEST_CASE("a gateway that ignores announcements learns from the question to it") {
  test::Lan lan;
  auto gateway = lan.plug({"10.0.3.1/24", "fd00:3::1/64"});
  auto owner = lan.plug({"10.0.3.3/24", "fd00:3::3/64"});
  auto witness = lan.plug({"10.0.3.9/24", "fd00:3::9/64"});
  for (const auto& both : {std::pair{"10.0.3.3", "10.0.3.1"}, {"fd00:3::3", "fd00:3::1"}}) {
    const char* const address = both.first;  // clang 14 captures no structured bindings
    const char* const router = both.second;
    // The gateway answers by now (its stack joins the group of a new IPv6 address later), and does not know the owner.
    REQUIRE(test::resolve(witness, witness.eth0.index, ip(router)) == gateway.eth0.mac);
    REQUIRE_FALSE(must(find_neighbour(gateway.socket, gateway.eth0.index, ip(address))));
    for (const bool unicast : {false, true}) {
      CAPTURE(address);
      CAPTURE(unicast);
      auto what = announcement(owner, address);
      what.gateway = ip(router);
      if (unicast) what.gateway_mac = gateway.eth0.mac;
      const auto ears = test::listen(owner);
      auto announcer = must(Announcer::open(owner.ns, what));
      announcer.send();
      // Its answer to us shows that it has taken us in (RFC 826; RFC 4861 section 7.2.3).
      CHECK(test::capture(ears, [&](const Frame& frame) {
        const auto arp = decode_arp(frame);
        const auto ndp = decode_ndp(frame);
        return (arp && arp->operation == ArpOperation::reply && arp->sender_ip == ip(router)) ||
               (ndp && ndp->advertisement && ndp->target == ip(router));
      }));
      CHECK(must(find_neighbour(gateway.socket, gateway.eth0.index, ip(address))).value().mac == owner.eth0.mac);
    }
  }
}

TEST_CASE("an unsolicited advertisement overrides and carries the MAC") {
  test::Lan lan;
  auto owner = lan.plug({"fd00:3::3/64"});
  auto witness = lan.plug();
  const auto ears = test::listen(witness);
  auto announcer = must(Announcer::open(owner.ns, announcement(owner, "fd00:3::3")));
  CHECK(announcer.frames() == 1);
  announcer.send();
  const auto frame = test::capture(ears, [](const Frame& f) { return decode_ndp(f) && decode_ndp(f)->advertisement; });
  REQUIRE(frame);
  const auto packet = decode_ndp(*frame);
  CHECK(packet->override_flag);
  CHECK_FALSE(packet->solicited);
  CHECK(packet->link_layer == owner.eth0.mac);
  CHECK(packet->destination == all_nodes());
}

TEST_CASE("failures are counted and are never fatal: a device that is down, or gone") {
  test::Lan lan;
  auto owner = lan.plug({"10.0.3.3/24"});
  auto announcer = must(Announcer::open(owner.ns, announcement(owner, "10.0.3.3")));
  CHECK(announcer.send() == 2);
  must(set_up(owner.socket, owner.eth0.index, false));
  CHECK(announcer.send() == 0);
  CHECK(announcer.failed() == 2);
  CHECK(announcer.last_errno() == ENETDOWN);
  must(set_up(owner.socket, owner.eth0.index));
  CHECK(announcer.send() == 2);
  must(remove_link(owner.socket, owner.eth0.index));
  CHECK(announcer.send() == 0);
  CHECK(announcer.failed() == 4);
  CHECK(announcer.sent() == 4);
}

TEST_CASE("a gateway of the other family is left out") {
  test::Lan lan;
  auto owner = lan.plug({"10.0.3.3/24"});
  auto what = announcement(owner, "10.0.3.3");
  what.gateway = ip("fd00:3::1");
  CHECK(must(Announcer::open(owner.ns, what)).frames() == 2);
}

TEST_CASE("a forked child goes on announcing") {
  test::Lan lan;
  auto owner = lan.plug({"10.0.3.3/24"});
  auto witness = lan.plug();
  auto announcer = must(Announcer::open(owner.ns, announcement(owner, "10.0.3.3")));
  const auto ears = test::listen(witness);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) ::_exit(announcer.send() == 2 ? 0 : 1);
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
  wait_heard(ears, ip("10.0.3.3"));
}

}  // namespace
}  // namespace plumb::netns
