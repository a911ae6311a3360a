// The watcher and somebody else who claims an address of a running service: reported, defended or not, and not dropped
// for who came later.
#include <doctest/doctest.h>

#include <algorithm>

#include "tests/lab/capture.h"
#include "tests/lab/watch/watch.h"

namespace plumb::lab {
namespace {

using namespace std::chrono_literals;

// A machine of the LAN that has these addresses, and says so when it is told to.
class Rival {
 public:
  explicit Rival(const Words& addresses) {
    lab({"rival", addresses.front()});
    const Node node("rival");
    node.must({"sysctl", "-qw", "net.ipv4.conf.eth0.arp_notify=1", "net.ipv6.conf.eth0.ndisc_notify=1"});
    for (const auto& address : addresses)
      if (address.find(':') != std::string::npos)
        node.must({"ip", "address", "add", address + "/64", "dev", "eth0", "nodad"});
      else if (address != addresses.front())
        node.must({"ip", "address", "add", address + "/24", "dev", "eth0"});
  }
  Rival(const Rival&) = delete;
  Rival& operator=(const Rival&) = delete;
  ~Rival() { lab({"rival", "--gone"}); }

  // The kernel tells everybody of all addresses when the MAC is set (NETDEV_CHANGEADDR, net/ipv4/devinet.c and
  // net/ipv6/ndisc.c).
  static void claim(const std::string& mac) { Node("rival").must({"ip", "link", "set", "eth0", "address", mac}); }
};

std::string spec_of(const std::string& names, const std::string& conflict) {
  std::string spec = edited(shared_engine_spec(), "ipname", "ipname = " + names);
  spec = edited(spec, "gateway", "gateway = 10.0.3.1\nannounce = 1\nconflict = " + conflict);
  return names.find(':') == std::string::npos ? spec : edited(spec, "netmask", "netmask = 24 64");
}

const std::string kMac = "02:00:0a:00:fe:aa";
const std::string kOther = "02:00:0a:00:fe:bb";
const std::string kThird = "02:00:0a:00:fe:cc";

// What the service itself has claimed on the wire, once for each announcement.
std::ptrdiff_t claims(Capture& wire, const std::string& address) {
  const auto& frames = wire.frames();
  const auto foreign = [](const std::string& mac) { return mac == kMac || mac == kOther || mac == kThird; };
  return std::count_if(frames.begin(), frames.end(), [&](const Frame& frame) {
    if (const auto arp = frame.arp())
      return arp->claims(address) && arp->operation == 2 && arp->target_ip == address && !foreign(arp->sender_mac);
    const auto ndp = frame.neighbour();
    return ndp && ndp->type == 136 && ndp->target == address && ndp->override_flag && !foreign(ndp->source);
  });
}

bool claims_at_last(Capture& wire, const std::string& address, std::ptrdiff_t times) {
  return wire.await([&](const Frame&) { return claims(wire, address) >= times; }, 5s);
}

TEST_CASE("a later rival is named, the address is kept, and defended unless that is not wanted") {
  const Node n1("n1");
  const Service warns("warns", spec_of("10.0.3.3", "warn"));
  const Service takes("takes", spec_of("10.0.3.4", "takeover"));
  const Service dual("dual", spec_of("10.0.3.5 fd00:10:3::35", "fail"));
  const Words addresses{"10.0.3.3", "10.0.3.4", "10.0.3.5", "fd00:10:3::35"};
  for (const auto* service : {&warns, &takes, &dual}) REQUIRE(service->plumb(n1, "start").exit_code == 0);
  Watch watch(n1);
  REQUIRE(watch.says("listening to the engine"));
  const auto all_are_up = [&] {
    for (const auto* service : {&warns, &takes, &dual}) CHECK(service->plumb(n1, "status").exit_code == 0);
  };
  all_are_up();
  REQUIRE(is_confirmed(n1, "warns", "10.0.3.3"));
  REQUIRE(is_confirmed(n1, "takes", "10.0.3.4"));
  for (const char* address : {"10.0.3.5", "fd00:10:3::35"}) REQUIRE(is_confirmed(n1, "dual", address));
  Capture wire(Node("client"), "eth0");
  {
    const Rival rival(addresses);
    Rival::claim(kMac);
    CHECK_MESSAGE(watch.says("warns: ip#0: 10.0.3.3 is claimed by " + kMac + ", too: only reported"), watch.log());
    CHECK_MESSAGE(watch.says("takes: ip#0: 10.0.3.4 is claimed by " + kMac + ", too: defending it"), watch.log());
    for (const char* address : {"10.0.3.5", "fd00:10:3::35"})
      CHECK_MESSAGE(
          watch.says("dual: ip#0: " + std::string(address) + " is claimed by " + kMac + ", too: defending it"),
          watch.log());
    for (const auto& address : Words(addresses.begin() + 1, addresses.end())) {
      CAPTURE(address);
      CHECK(claims_at_last(wire, address, 1));
    }
    // At most once in ten seconds, whoever it is.
    watch.forget();
    Rival::claim(kOther);
    for (const auto& address : addresses) CHECK_MESSAGE(watch.says(address + " is claimed by " + kOther), watch.log());
    // Of IPv6 the kernel's answers to the service's own probes look the same.
    for (const auto& address : Words{"10.0.3.3", "10.0.3.4", "10.0.3.5"})
      CHECK_MESSAGE(claims(wire, address) == (address == "10.0.3.3" ? 0 : 1), address, ": ", claims(wire, address));
    all_are_up();
  }
  all_are_up();
  CHECK(answers_at_last());
}

TEST_CASE("rivals that take turns are named once each, not at each turn") {
  const Node n1("n1");
  const Service web("web", spec_of("10.0.3.3", "fail"));
  REQUIRE(web.plumb(n1, "start").exit_code == 0);
  Watch watch(n1);
  REQUIRE(watch.says("listening to the engine"));
  CHECK(web.plumb(n1, "status").exit_code == 0);
  REQUIRE(is_confirmed(n1, "web", "10.0.3.3"));
  const Rival rival({"10.0.3.3"});
  const auto said = [&](const std::string& mac) { return watch.says("10.0.3.3 is claimed by " + mac); };
  Rival::claim(kMac);
  CHECK_MESSAGE(said(kMac), watch.log());
  Rival::claim(kOther);
  CHECK_MESSAGE(said(kOther), watch.log());
  watch.forget();
  Rival::claim(kMac);
  Rival::claim(kOther);
  Rival::claim(kThird);
  CHECK_MESSAGE(said(kThird), watch.log());
  for (const auto& mac : {kMac, kOther}) CHECK_MESSAGE(watch.log().find(mac) == std::string::npos, watch.log());
}

}  // namespace
}  // namespace plumb::lab
