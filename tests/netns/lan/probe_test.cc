#include "netns/lan/probe.h"

#include <doctest/doctest.h>

#include <thread>

#include "netns/address/neighbour.h"
#include "netns/address/sysctl.h"
#include "netns/link/upper_link.h"
#include "netns/wire/arp.h"
#include "netns/wire/ndp.h"
#include "tests/netns/lan.h"

namespace plumb::netns {
namespace {

using std::chrono::milliseconds;
using test::ip;
using test::mac;
using test::must;

// Long enough that only a stop or a rival ends it.
constexpr ProbeTiming kEndless{1, {}, milliseconds{0}, milliseconds{0}, milliseconds{60'000}};

// As long, asking again: an IPv6 stack answers for a new address only once its work queue has joined the address'
// group.
constexpr ProbeTiming kPatient{600, {}, milliseconds{100}, milliseconds{100}, milliseconds{0}};

Result<Probed> probe_on(test::Station& station, const char* address, const ProbeTiming& timing = kFastProbe,
                        std::stop_token stop = {}, std::span<const Mac> ignore = {}) {
  return probe(station.ns, station.eth0.index, ip(address), timing, std::move(stop), ignore);
}

// Probes without end on `station`; runs `act` once the first probe was seen by `witness`; then stops the probe if asked
// to. So frames that `act` sends reach a probe that listens already.
Result<Probed> probe_while(test::Station& station, test::Station& witness, const char* address,
                           const std::function<void()>& act, std::span<const Mac> ignore = {},
                           bool stop_after = false) {
  const auto ears = test::listen(witness);
  std::stop_source stop;
  std::optional<Result<Probed>> out;
  std::jthread prober([&] { out = probe_on(station, address, kEndless, stop.get_token(), ignore); });
  const auto seen = test::capture(ears, [&](const Frame& frame) {
    const auto arp = decode_arp(frame);
    const auto ndp = decode_ndp(frame);
    return (arp && arp->target_ip == ip(address)) || (ndp && ndp->target == ip(address));
  });
  CHECK(seen);
  act();
  if (stop_after) stop.request_stop();
  prober.join();
  return *std::move(out);
}

TEST_CASE("an address that nobody has is free, on IPv4 and IPv6") {
  test::Lan lan;
  auto host = lan.plug({"10.0.3.1/24"});
  auto other = lan.plug({"10.0.3.2/24", "fd00:3::2/64"});
  for (const char* address : {"10.0.3.3", "fd00:3::3"}) {
    CAPTURE(address);
    const auto probed = must(probe_on(host, address));
    CHECK_FALSE(probed.rival);
    CHECK(probed.socket.get() >= 0);
  }
}

TEST_CASE("a rival is found with its MAC and the device where it was heard") {
  test::Lan lan;
  auto host = lan.plug({"10.0.3.1/24"});
  auto rival = lan.plug({"10.0.3.3/24", "fd00:3::3/64"});
  for (const char* address : {"10.0.3.3", "fd00:3::3"}) {
    CAPTURE(address);
    const auto probed = must(probe_on(host, address, kPatient));  // ends although the timing would not
    REQUIRE(probed.rival);
    CHECK(probed.rival->address == ip(address));
    CHECK(probed.rival->mac == *rival.eth0.mac);
    CHECK(probed.rival->device == "eth0");
  }
}

TEST_CASE("a rival that ignores ping, or that only has ARP, is found") {
  test::Lan lan;
  auto host = lan.plug();
  auto rival = lan.plug();
  auto witness = lan.plug();
  // No address, no IP stack: a bare answer.
  const auto mouth = test::listen(rival);
  const auto probed = probe_while(host, witness, "10.0.3.3", [&] {
    const auto asked = test::capture(mouth, [](const Frame& frame) { return decode_arp(frame).has_value(); });
    REQUIRE(asked);
    CHECK(mouth.send(encode_arp(*host.eth0.mac, {ArpOperation::reply, mouth.mac(), ip("10.0.3.3"), *host.eth0.mac,
                                                 IpAddress::any_v4()})) == 0);
  });
  REQUIRE(probed.has_value());
  REQUIRE(probed->rival);
  CHECK(probed->rival->mac == *rival.eth0.mac);
}

TEST_CASE("a rival on a macvlan of another node is found from a macvlan") {
  test::Lan lan;
  auto one = lan.plug();
  auto two = lan.plug();
  auto service = test::make_node();
  auto rival = test::make_node();
  const auto macvlan = [](test::Station& parent, test::Node& target) {
    return must(
        create_macvlan(parent.socket, target.socket,
                       {.parent_index = parent.eth0.index, .name = test::ifname("eth0"), .mac = {}, .mtu = {}}));
  };
  const auto mine = macvlan(one, service);
  const auto theirs = macvlan(two, rival);
  must(add_address(rival.socket, theirs.index, test::cidr("10.0.3.3/24")));
  const auto probed = must(probe(service.ns, mine.index, ip("10.0.3.3"), kPatient));
  REQUIRE(probed.rival);
  CHECK(probed.rival->mac == *theirs.mac);
  // From the parent, too: it is another node's.
  CHECK(must(probe_on(one, "10.0.3.3")).rival);
  // The limit that the header states: from its own parent a macvlan is not heard; from a sibling macvlan it is.
  CHECK_FALSE(must(probe_on(two, "10.0.3.3")).rival);
  auto sibling = test::make_node();
  const auto beside = macvlan(two, sibling);
  CHECK(must(probe(sibling.ns, beside.index, ip("10.0.3.3"), kFastProbe)).rival);
}

// A frame with its VLAN tag in it, as it is on the wire of a trunk; the receiving kernel takes the tag out.
Frame tagged(Frame frame, std::uint16_t number) {
  const Frame tag{0x81, 0x00, static_cast<std::uint8_t>(number >> 8U), static_cast<std::uint8_t>(number & 0xffU)};
  frame.insert(frame.begin() + 12, tag.begin(), tag.end());
  return frame;
}

TEST_CASE("frames that are no conflict: own, tagged, ignored, about others, questions") {
  test::Lan lan;
  auto host = lan.plug();
  auto rival = lan.plug();
  const auto mouth = test::listen(rival);
  const IpAddress wanted = ip("10.0.3.3");
  const Mac friendly = mac("02:00:00:00:00:77");
  // A conflict, sent after all the others: when it is the one that is told, the others were heard and let pass.
  const Mac last = mac("02:00:00:00:00:99");
  const auto claim = [&](const Mac& sender, const IpAddress& address) {
    return encode_arp(broadcast_mac(), {ArpOperation::request, sender, address, zero_mac(), address});
  };
  const auto probed = probe_while(
      host, rival, "10.0.3.3",
      [&] {
        CHECK(mouth.send(claim(*host.eth0.mac, wanted)) == 0);           // our own, come back by a loop
        CHECK(mouth.send(tagged(claim(mouth.mac(), wanted), 42)) == 0);  // another LAN's
        CHECK(mouth.send(claim(friendly, wanted)) == 0);                 // told to ignore
        CHECK(mouth.send(claim(mouth.mac(), ip("10.0.3.4"))) == 0);      // another address
        CHECK(mouth.send(encode_arp(broadcast_mac(), {ArpOperation::request, mouth.mac(), ip("10.0.3.9"), zero_mac(),
                                                      wanted})) == 0);  // somebody looks for it
        CHECK(mouth.send(encode_arp(broadcast_mac(), {ArpOperation::request, mouth.mac(), IpAddress::any_v4(),
                                                      zero_mac(), wanted})) == 0);  // or asks for it
        Frame cut = claim(mouth.mac(), wanted);
        cut.resize(40);
        CHECK(mouth.send(cut) == 0);
        CHECK(mouth.send(claim(last, wanted)) == 0);
      },
      std::span(&friendly, 1));
  REQUIRE(probed);
  REQUIRE(probed->rival);
  CHECK(probed->rival->mac == last);
  // The twins: the same claims, not tagged, or tagged with the priority tag's number 0, are conflicts.
  CHECK(must(probe_while(host, rival, "10.0.3.3", [&] { CHECK(mouth.send(claim(mouth.mac(), wanted)) == 0); })).rival);
  CHECK(must(probe_while(host, rival, "10.0.3.3", [&] {
          CHECK(mouth.send(tagged(claim(mouth.mac(), wanted), 0)) == 0);
        })).rival);
  CHECK(must(probe_while(host, rival, "10.0.3.3", [&] { CHECK(mouth.send(claim(friendly, wanted)) == 0); })).rival);
}

TEST_CASE("IPv6 frames that are no conflict") {
  test::Lan lan;
  auto host = lan.plug();
  auto rival = lan.plug();
  const auto mouth = test::listen(rival);
  const IpAddress wanted = ip("fd00:3::3");
  const Mac last = mac("02:00:00:00:00:99");
  const auto probed = probe_while(host, rival, "fd00:3::3", [&] {
    CHECK(mouth.send(test::advertisement(*host.eth0.mac, wanted)) == 0);
    CHECK(mouth.send(tagged(test::advertisement(mouth.mac(), wanted), 42)) == 0);
    CHECK(mouth.send(test::advertisement(mouth.mac(), ip("fd00:3::4"))) == 0);
    const auto group = solicited_node(wanted);
    CHECK(mouth.send(encode_ndp(mouth.mac(), multicast_mac(group),
                                {.advertisement = false,
                                 .source = ip("fd00:3::9"),
                                 .destination = group,
                                 .target = wanted,
                                 .link_layer = mouth.mac()})) == 0);
    CHECK(mouth.send(encode_ndp(mouth.mac(), multicast_mac(group),
                                {.advertisement = false,
                                 .source = IpAddress::any_v6(),
                                 .destination = group,
                                 .target = wanted,
                                 .link_layer = {}})) == 0);
    Frame forged = test::advertisement(mouth.mac(), wanted);
    forged[21] = 64;  // has come through a router
    CHECK(mouth.send(forged) == 0);
    CHECK(mouth.send(test::advertisement(last, wanted)) == 0);
  });
  REQUIRE(probed);
  REQUIRE(probed->rival);
  CHECK(probed->rival->mac == last);
  CHECK(must(probe_while(host, rival, "fd00:3::3", [&] {
          CHECK(mouth.send(test::advertisement(mouth.mac(), wanted)) == 0);
        })).rival);
}

TEST_CASE("a probe claims nothing: as many as asked, the sender is nobody, and no cache learns") {
  test::Lan lan;
  auto host = lan.plug({"10.0.3.1/24", "fd00:3::1/64"});
  auto witness = lan.plug({"10.0.3.2/24"});
  const auto ears = test::listen(witness);
  CHECK_FALSE(must(probe_on(host, "10.0.3.3")).rival);
  CHECK_FALSE(must(probe_on(host, "fd00:3::3")).rival);
  int arps = 0;
  int solicitations = 0;
  for (const auto& frame : test::drain(ears)) {
    if (const auto arp = decode_arp(frame)) {
      CHECK(arp->sender_ip.is_any());
      CHECK(arp->target_ip == ip("10.0.3.3"));
      CHECK(arp->sender_mac == *host.eth0.mac);
      CHECK(arp->operation == ArpOperation::request);
      ++arps;
    }
    const auto ndp = decode_ndp(frame);
    if (ndp && ndp->target == ip("fd00:3::3")) {
      CHECK_FALSE(ndp->advertisement);
      CHECK(ndp->source.is_any());
      CHECK_FALSE(ndp->link_layer);  // RFC 4861 section 4.3: never from ::
      ++solicitations;
    }
  }
  CHECK(arps == 3);
  CHECK(solicitations == 3);
  CHECK_FALSE(must(find_neighbour(witness.socket, witness.eth0.index, ip("10.0.3.3"))));
}

TEST_CASE("a stop ends a probe") {
  test::Lan lan;
  auto host = lan.plug();
  auto witness = lan.plug();
  CHECK(probe_while(
            host, witness, "10.0.3.3", [] {}, {}, true)
            .error()
            .kind == ErrorKind::cancelled);
  std::stop_source stopped;
  stopped.request_stop();
  CHECK(probe_on(host, "10.0.3.3", kEndless, stopped.get_token()).error().kind == ErrorKind::cancelled);
}

TEST_CASE("a device that is missing, down, or no Ethernet is an error, never silence") {
  test::Lan lan;
  auto host = lan.plug();
  CHECK(probe(host.ns, 4711, ip("10.0.3.3"), kFastProbe).error().kind == ErrorKind::not_found);
  CHECK(probe(host.ns, 1, ip("10.0.3.3"), kFastProbe).error().kind == ErrorKind::unsupported);
  CHECK(probe(host.ns, host.eth0.index, ip("10.0.3.3"), {}).error().kind == ErrorKind::usage);
  must(set_up(host.socket, host.eth0.index, false));
  const auto down = probe_on(host, "10.0.3.3");
  CHECK(down.error().kind == ErrorKind::refused);
  CHECK(down.error().what.find("eth0") != std::string::npos);
  CHECK_FALSE(down.error().next.empty());
}

TEST_CASE("a device that goes down or away under a probe is an error") {
  test::Lan lan;
  auto host = lan.plug();
  auto witness = lan.plug();
  auto other = must(RouteSocket::open(host.ns));
  const auto down = probe_while(host, witness, "10.0.3.3", [&] { must(set_up(other, host.eth0.index, false)); });
  REQUIRE_FALSE(down);
  CHECK(down.error().kind == ErrorKind::refused);
}

TEST_CASE("IPv6 is probed where the device has no IPv6 yet") {
  test::Lan lan;
  auto host = lan.plug();
  auto rival = lan.plug({"fd00:3::3/64"});
  const SysctlValue off{Sysctl::disable_ipv6, 1};
  must(write_sysctls(host.ns, test::ifname("eth0"), std::span(&off, 1)));
  const auto probed = must(probe_on(host, "fd00:3::3", kPatient));
  REQUIRE(probed.rival);
  CHECK(probed.rival->mac == *rival.eth0.mac);
  CHECK_FALSE(must(probe_on(host, "fd00:3::4")).rival);
}

TEST_CASE("the timers are those that were promised") {
  CHECK(kFastProbe.count == 3);
  CHECK(kFastProbe.interval_max * 2 + kFastProbe.listen == milliseconds(120));
  // RFC 5227 section 1.1
  CHECK(kRfcProbe.count == 3);
  CHECK(kRfcProbe.first_delay_max == milliseconds(1000));
  CHECK(kRfcProbe.interval_min == milliseconds(1000));
  CHECK(kRfcProbe.interval_max == milliseconds(2000));
  CHECK(kRfcProbe.listen == milliseconds(2000));
}

}  // namespace
}  // namespace plumb::netns
