#include <doctest/doctest.h>

#include <atomic>
#include <filesystem>
#include <functional>
#include <latch>
#include <limits>
#include <memory>
#include <mutex>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "plugin/driver/pools.h"
#include "plugin/driver/record/subnet.h"
#include "plugin/node/boot.h"
#include "tests/docker_client/scratch.h"

using namespace plumb;
using namespace plumb::driver;
using std::chrono::seconds;

namespace {

IpAddress ip(std::string_view text) { return IpAddress::parse(text).value(); }
Cidr cidr(std::string_view text) { return Cidr::parse(text).value(); }

// Pools in a folder of their own, with a LAN and endpoints that the test sets.
class Node {
 public:
  Node() { start(); }

  // As a restart of the driver does it.
  void restart() {
    pools_.reset();
    store_.reset();
    start();
  }
  [[nodiscard]] Pools& pools() { return *pools_; }
  [[nodiscard]] Store& store() { return *store_; }
  [[nodiscard]] const std::string& folder() const { return scratch_.path(); }

  // The id of a pool that is bound to the network.
  std::string network(const std::string& id, const std::string& subnet, const std::string& range = {}) {
    const auto pool = pools().request_pool(subnet, range, cidr(subnet).address().is_v6());
    REQUIRE(pool);
    NetworkRecord record;
    record.id = id;
    record.subnets = {{pool->pool, {}, {}}};
    REQUIRE(pools().bind(record));
    return pool->id;
  }
  // An address that the driver chose, without its prefix.
  std::string choose(const std::string& pool) {
    const auto address = pools().request_address(pool, {}, false);
    if (!address) MESSAGE(address.error().what);
    REQUIRE(address);
    return address->address().to_string();
  }
  [[nodiscard]] Error refusal(const std::string& pool, const std::optional<IpAddress>& wanted = {}) {
    auto address = pools().request_address(pool, wanted, false);
    REQUIRE_FALSE(address);
    return address.error();
  }

  std::set<std::string> lan;        // addresses that other machines have
  std::set<std::string> endpoints;  // "NETWORK ADDRESS"
  std::atomic<unsigned> probes = 0;
  bool parent_down = false;
  std::function<void()> while_probing;
  std::function<void()> while_asking;  // whether an endpoint has an address
  seconds uptime{1000};
  std::uint64_t place = 0;  // among nodes

 private:
  void start() {
    store_ = std::make_unique<Store>(Store::open(scratch_.path()).value());
    Neighbourhood neighbourhood;
    neighbourhood.endpoint_with = [this](const std::string& network, const IpAddress& address) {
      if (while_asking) while_asking();
      return endpoints.contains(network + " " + address.to_string()) ? std::string("0123456789abcdef") : std::string();
    };
    neighbourhood.answers = [this](const std::string&, const IpAddress& address) -> Result<bool> {
      ++probes;
      if (while_probing) while_probing();
      if (parent_down) return Err{ErrorKind::failed, "eth0 is down"};
      return lan.contains(address.to_string());
    };
    neighbourhood.place = [this](const std::string&) { return place; };
    neighbourhood.uptime = [this] { return uptime; };
    pools_ = std::make_unique<Pools>(Pools::open(*store_, std::move(neighbourhood)).value());
  }

  test::Scratch scratch_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<Pools> pools_;
};

bool says(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

Error pool_refusal(Node& node, const std::string& subnet, const std::string& range = {}, bool v6 = false) {
  auto pool = node.pools().request_pool(subnet, range, v6);
  REQUIRE_FALSE(pool);
  return pool.error();
}

}  // namespace

TEST_CASE("subnets are counted through, around their end") {
  CHECK(first_address(cidr("10.0.3.77/26")) == ip("10.0.3.64"));
  CHECK(last_address(cidr("10.0.3.77/26")) == ip("10.0.3.127"));
  CHECK(last_address(cidr("10.0.3.77/32")) == ip("10.0.3.77"));
  CHECK(last_address(cidr("fd00::/65")) == ip("fd00::7fff:ffff:ffff:ffff"));
  CHECK(address_after(cidr("10.0.0.0/16"), ip("10.0.3.255")) == ip("10.0.4.0"));
  CHECK(address_after(cidr("10.0.3.0/24"), ip("10.0.3.255")) == ip("10.0.3.0"));
  CHECK(address_after(cidr("10.0.3.64/26"), ip("10.0.3.5")) == ip("10.0.3.64"));
  CHECK(address_after(cidr("255.255.255.0/24"), ip("255.255.255.255")) == ip("255.255.255.0"));
  CHECK(address_after(cidr("fd00::/64"), ip("fd00::ffff")) == ip("fd00::1:0"));
  constexpr auto kLast = std::numeric_limits<std::uint64_t>::max();
  CHECK(address_at(cidr("10.0.3.0/24"), 0) == ip("10.0.3.0"));
  CHECK(address_at(cidr("10.0.3.77/24"), kLast / 2 + 1) == ip("10.0.3.128"));
  CHECK(address_at(cidr("10.0.3.64/30"), kLast) == ip("10.0.3.67"));
  CHECK(address_at(cidr("10.0.3.4/31"), kLast) == ip("10.0.3.5"));
  CHECK(address_at(cidr("10.0.3.4/32"), kLast) == ip("10.0.3.4"));
  CHECK(address_at(cidr("10.0.0.0/15"), kLast) == ip("10.1.255.255"));
  CHECK(address_at(cidr("fd00::/64"), kLast) == ip("fd00::ffff:ffff"));
  CHECK(address_at(cidr("fd00::8/125"), kLast / 2 + 1) == ip("fd00::c"));
  CHECK(overlap(cidr("10.0.0.0/16"), cidr("10.0.3.0/24")));
  CHECK_FALSE(overlap(cidr("10.0.2.0/24"), cidr("10.0.3.0/24")));
  CHECK(encloses(cidr("10.0.0.0/16"), cidr("10.0.3.0/24")));
  CHECK_FALSE(encloses(cidr("10.0.3.0/24"), cidr("10.0.0.0/16")));
}

TEST_CASE("a subnet that is none is refused, with what to write") {
  Node node;
  CHECK(says(pool_refusal(node, "").what, "give it with --subnet 10.0.3.0/24"));
  CHECK(says(pool_refusal(node, "", "", true).what, "give it with --subnet 2001:db8:3::/64"));
  CHECK(says(pool_refusal(node, "10.0.3.7/24").what, "write 10.0.3.0/24"));
  CHECK(says(pool_refusal(node, "10.0.3.0").what, "has no /prefix"));
  CHECK(says(pool_refusal(node, "0.0.0.0/0").what, "is every address there is"));
  CHECK(says(pool_refusal(node, "127.0.0.0/8").what, "has no addresses that a machine can have"));
  CHECK(says(pool_refusal(node, "10.0.3.0/24", "", true).what, "is not of IPv6"));
  CHECK(says(pool_refusal(node, "10.0.3.0/24", "10.0.4.0/28").what, "is not part of --subnet 10.0.3.0/24"));
  CHECK(says(pool_refusal(node, "10.0.3.0/24", "10.0.0.0/16").what, "is not part of"));
  CHECK(says(pool_refusal(node, "10.0.3.0/24", "10.0.3.5/28").what, "--ip-range: \"10.0.3.5/28\""));
  CHECK(pool_refusal(node, "red").kind == ErrorKind::spec);
}

TEST_CASE("every request is a pool of its own, on one subnet or on overlapping ones") {
  Node node;
  std::set<std::string> ids;
  for (const char* subnet : {"10.0.3.0/24", "10.0.3.0/24", "10.0.0.0/16"})
    ids.insert(node.pools().request_pool(subnet, "", false).value().id);
  CHECK(ids.size() == 3);
  for (const auto& id : ids) CHECK(is_record_id(id));
}

TEST_CASE("the driver chooses in order, and never the network's, the broadcast or the gateway's address") {
  Node node;
  const auto pool = node.pools().request_pool("10.0.3.0/29", "", false).value().id;
  CHECK(node.pools().request_address(pool, ip("10.0.3.2"), true).value() == cidr("10.0.3.2/29"));
  for (const char* expected : {"10.0.3.1", "10.0.3.3", "10.0.3.4", "10.0.3.5", "10.0.3.6"})
    CHECK(node.choose(pool) == expected);
  const auto error = node.refusal(pool);
  CHECK(error.kind == ErrorKind::exists);
  CHECK(says(error.what, "no address of 10.0.3.0/29 is free"));
}

TEST_CASE("both addresses of a /31 are hosts', and so is that of a /32") {
  Node node;
  const auto pair = node.pools().request_pool("10.0.3.4/31", "", false).value().id;
  CHECK(node.choose(pair) == "10.0.3.4");
  CHECK(node.choose(pair) == "10.0.3.5");
  const auto one = node.pools().request_pool("10.0.9.9/32", "", false).value().id;
  CHECK(node.choose(one) == "10.0.9.9");
  CHECK(node.refusal(one).kind == ErrorKind::exists);
}

TEST_CASE("the driver chooses within the range") {
  Node node;
  const auto pool = node.network("n1", "10.0.3.0/24", "10.0.3.64/30");
  for (const char* expected : {"10.0.3.64", "10.0.3.65", "10.0.3.66", "10.0.3.67"})
    CHECK(node.choose(pool) == expected);
  CHECK(says(node.refusal(pool).what, "10.0.3.64/30"));
  // By name all of the subnet can be had.
  CHECK(node.pools().request_address(pool, ip("10.0.3.9"), false).value() == cidr("10.0.3.9/24"));
}

TEST_CASE("an IPv6 subnet of any size works") {
  Node node;
  const auto pool = node.network("n1", "fd00::/64");
  CHECK(node.choose(pool) == "fd00::1");
  CHECK(node.choose(pool) == "fd00::2");
  CHECK(node.pools().request_address(pool, ip("fd00::ffff:1"), false).value() == cidr("fd00::ffff:1/64"));
}

TEST_CASE("no gateway is asked for: the subnet's own address stands for none") {
  Node node;
  const auto pool = node.pools().request_pool("10.0.3.0/24", "", false).value().id;
  CHECK(node.pools().request_address(pool, {}, true).value() == cidr("10.0.3.0/24"));
  CHECK(node.choose(pool) == "10.0.3.1");
}

TEST_CASE("who gives its address back and asks right after gets it again, whatever others do") {
  Node node;
  const auto pool = node.network("n1", "10.0.3.0/24");
  const auto give_back = [&](const std::string& address) {
    CHECK(node.pools().release_address(pool, ip(address)).has_value());
  };
  for (int i = 1; i <= 4; ++i) CHECK(node.choose(pool) == "10.0.3." + std::to_string(i));
  // A restart, again and again.
  for (int i = 0; i < 5; ++i) {
    give_back("10.0.3.2");
    CHECK(node.choose(pool) == "10.0.3.2");
    node.uptime += seconds(10);
  }
  // One that was removed long before another is restarted.
  give_back("10.0.3.1");
  node.uptime += seconds(2);
  give_back("10.0.3.3");
  CHECK(node.choose(pool) == "10.0.3.3");
  CHECK(node.choose(pool) == "10.0.3.1");
  // Several are stopped at once, and started in the same order.
  for (const char* address : {"10.0.3.4", "10.0.3.1", "10.0.3.3"}) give_back(address);
  for (const char* address : {"10.0.3.4", "10.0.3.1", "10.0.3.3"}) CHECK(node.choose(pool) == address);
  CHECK(node.choose(pool) == "10.0.3.5");
}

TEST_CASE("an address that was asked for by name is not chosen when it is given back, also after a restart") {
  Node node;
  const auto pool = node.network("n1", "10.0.3.0/24");
  CHECK(node.choose(pool) == "10.0.3.1");
  for (const char* name : {"10.0.3.1", "10.0.3.9"}) {
    CHECK(node.pools().request_address(pool, ip(name), false).has_value());
    CHECK(node.pools().release_address(pool, ip(name)).has_value());
  }
  CHECK(node.choose(pool) == "10.0.3.2");
  CHECK(node.pools().request_address(pool, ip("10.0.3.9"), false).has_value());
  node.restart();
  CHECK(node.pools().release_address(pool, ip("10.0.3.9")).has_value());
  CHECK(node.pools().release_address(pool, ip("10.0.3.2")).has_value());
  CHECK(node.choose(pool) == "10.0.3.2");
  CHECK(node.choose(pool) == "10.0.3.10");
}

TEST_CASE("an address that was given back, and that somebody has by now, is passed over") {
  Node node;
  const auto pool = node.network("n1", "10.0.3.0/24");
  CHECK(node.choose(pool) == "10.0.3.1");
  CHECK(node.pools().release_address(pool, ip("10.0.3.1")).has_value());
  node.lan = {"10.0.3.1"};
  CHECK(node.choose(pool) == "10.0.3.2");
  CHECK(node.choose(pool) == "10.0.3.3");
  CHECK(node.probes == 4);
}

TEST_CASE("an address that a machine of the LAN has is passed over") {
  Node node;
  const auto pool = node.network("n1", "10.0.3.0/24");
  node.lan = {"10.0.3.1", "10.0.3.2"};
  CHECK(node.choose(pool) == "10.0.3.3");
  CHECK(node.probes == 3);
}

TEST_CASE("probes are bounded on a LAN where everybody answers, and the next request goes on behind them") {
  Node node;
  const auto pool = node.network("n1", "10.0.0.0/16");
  for (int i = 1; i <= 20; ++i) node.lan.insert("10.0.0." + std::to_string(i));
  const auto error = node.refusal(pool);
  CHECK(error.kind == ErrorKind::exists);
  CHECK(says(error.what, "none of 16 addresses"));
  CHECK(says(error.what, "another machine answers for 10.0.0.16"));
  CHECK(node.probes == 16);
  CHECK(node.choose(pool) == "10.0.0.21");
}

TEST_CASE("an address that cannot be probed is not given") {
  Node node;
  const auto pool = node.network("n1", "10.0.3.0/30");
  node.parent_down = true;
  const auto error = node.refusal(pool);
  CHECK(says(error.what, "eth0 is down"));
  CHECK(node.probes == 2);
  node.parent_down = false;
  CHECK_FALSE(node.choose(pool).empty());
}

TEST_CASE("a pool that is bound to no network has no uplink to probe on") {
  Node node;
  const auto pool = node.pools().request_pool("10.0.3.0/24", "", false).value().id;
  node.lan = {"10.0.3.1"};
  CHECK(node.choose(pool) == "10.0.3.1");
  CHECK(node.probes == 0);
}

TEST_CASE("overlapping pools keep clear of each other's leases, gateways and auxiliary addresses") {
  Node node;
  const auto wide = node.network("n1", "10.0.0.0/22", "10.0.3.0/29");
  const auto narrow = node.pools().request_pool("10.0.3.0/24", "", false).value().id;
  REQUIRE(node.pools().request_address(narrow, ip("10.0.3.1"), true));
  NetworkRecord record;
  record.id = "n2";
  record.subnets = {{cidr("10.0.3.0/24"), ip("10.0.3.1"), {ip("10.0.3.2")}}};
  REQUIRE(node.pools().bind(record));
  REQUIRE(node.pools().request_address(narrow, ip("10.0.3.3"), false));
  CHECK(node.choose(wide) == "10.0.3.4");
  CHECK(node.choose(narrow) == "10.0.3.5");
  CHECK(node.choose(wide) == "10.0.3.6");
}

TEST_CASE("the subnet's own and its broadcast address are nobody's, where a subnet has such") {
  Node node;
  const auto pool = node.network("n1", "10.0.3.0/24");
  CHECK(says(node.refusal(pool, ip("10.0.3.0")).what, "10.0.3.0 is the subnet's own"));
  CHECK(node.refusal(pool, ip("10.0.3.255")).kind == ErrorKind::spec);
  CHECK(node.pools().request_address(pool, ip("10.0.3.254"), false));
  const auto small = node.network("n2", "10.0.4.2/31");
  CHECK(node.pools().request_address(small, ip("10.0.4.2"), false));
  CHECK(node.pools().request_address(small, ip("10.0.4.3"), false));
  const auto v6 = node.network("n3", "fd00:10:3::/64");
  CHECK(node.pools().request_address(v6, ip("fd00:10:3::"), false));
}

TEST_CASE("an address that is asked for is given, leased or not, unless an endpoint has it") {
  Node node;
  const auto pool = node.network("n1", "10.0.3.0/24");
  node.lan = {"10.0.3.9"};
  CHECK(node.pools().request_address(pool, ip("10.0.3.9"), false).value() == cidr("10.0.3.9/24"));
  CHECK(node.pools().request_address(pool, ip("10.0.3.9"), false).has_value());
  CHECK(node.probes == 0);
  node.endpoints = {"n1 10.0.3.9"};
  const auto error = node.refusal(pool, ip("10.0.3.9"));
  CHECK(error.kind == ErrorKind::conflict);
  CHECK(says(error.what, "endpoint 0123456789ab of this node"));
  CHECK(node.refusal(pool, ip("10.0.4.9")).kind == ErrorKind::spec);
  CHECK(node.refusal(pool, ip("fd00::1")).kind == ErrorKind::spec);
}

TEST_CASE("an endpoint's address is neither chosen nor given back by somebody else") {
  Node node;
  const auto pool = node.network("n1", "10.0.3.0/29");
  node.endpoints = {"n1 10.0.3.1", "n1 10.0.3.2"};
  CHECK(node.choose(pool) == "10.0.3.3");
  REQUIRE(node.pools().request_address(pool, ip("10.0.3.4"), false));
  node.endpoints.insert("n1 10.0.3.4");
  CHECK(node.pools().release_address(pool, ip("10.0.3.4")).has_value());
  node.endpoints.clear();
  CHECK(node.choose(pool) == "10.0.3.5");
  for (const char* expected : {"10.0.3.6", "10.0.3.1", "10.0.3.2"}) CHECK(node.choose(pool) == expected);
  CHECK(node.refusal(pool).kind == ErrorKind::exists);
  CHECK(node.pools().release_address(pool, ip("10.0.3.4")).has_value());
  CHECK(node.choose(pool) == "10.0.3.4");
}

TEST_CASE("a pool that is not there has no addresses, and is released all the same") {
  Node node;
  CHECK(node.refusal("0123").kind == ErrorKind::not_found);
  CHECK(node.refusal("0123", ip("10.0.3.3")).kind == ErrorKind::not_found);
  CHECK_FALSE(node.pools().request_address("0123", ip("10.0.3.3"), true));
  CHECK(node.pools().release_address("0123", ip("10.0.3.3")).has_value());
  CHECK(node.pools().release_pool("0123").has_value());
  CHECK(node.pools().release_pool("../networks/n1").has_value());
}

TEST_CASE("a released pool leaves no file and no lease behind") {
  Node node;
  const auto pool = node.network("n1", "10.0.3.0/29");
  const auto other = node.network("n2", "10.0.3.0/29");
  CHECK(node.choose(pool) == "10.0.3.1");
  CHECK(node.pools().release_pool(pool).has_value());
  CHECK(node.pools().release_pool(pool).has_value());
  CHECK(node.refusal(pool).kind == ErrorKind::not_found);
  CHECK_FALSE(std::filesystem::exists(node.folder() + "/pools/" + pool + ".json"));
  CHECK_FALSE(std::filesystem::exists(node.folder() + "/leases/" + pool));
  CHECK(node.choose(other) == "10.0.3.1");
}

TEST_CASE("pools, what they are bound to and their leases survive a restart of the driver") {
  Node node;
  const auto pool = node.pools().request_pool("10.0.3.0/24", "10.0.3.0/29", false).value().id;
  REQUIRE(node.pools().request_address(pool, ip("10.0.3.1"), true));
  NetworkRecord record;
  record.id = "n1";
  record.subnets = {{cidr("10.0.3.0/24"), ip("10.0.3.1"), {ip("10.0.3.2")}}};
  REQUIRE(node.pools().bind(record));
  CHECK(node.choose(pool) == "10.0.3.3");
  CHECK(node.choose(pool) == "10.0.3.4");
  REQUIRE(node.pools().release_address(pool, ip("10.0.3.3")));
  node.restart();
  CHECK(node.choose(pool) == "10.0.3.5");
  CHECK(node.probes == 3);
  for (const char* expected : {"10.0.3.6", "10.0.3.7", "10.0.3.3"}) CHECK(node.choose(pool) == expected);
  CHECK(node.refusal(pool).kind == ErrorKind::exists);
}

TEST_CASE("leases of another boot, and what is no lease, are dropped at a restart") {
  Node node;
  const auto pool = node.network("n1", "10.0.3.0/29");
  const auto boot = boot_id().value();
  REQUIRE(node.store().put_lease(pool, "10.0.3.1", "another-boot 5"));
  REQUIRE(node.store().put_lease(pool, "10.0.3.2", boot));
  REQUIRE(node.store().put_lease(pool, "10.0.3.3", boot + " soon"));
  REQUIRE(node.store().put_lease(pool, "10.0.9.9", boot + " 5"));
  REQUIRE(node.store().put_lease(pool, "something", boot + " 5"));
  REQUIRE(node.store().put_lease(pool, "10.0.3.4", boot + " 5"));
  node.restart();
  const auto left = node.store().load_leases(pool).value();
  CHECK(left.size() == 1);
  CHECK(left.contains("10.0.3.4"));
}

TEST_CASE("a broken pool file costs only itself, and is set aside") {
  Node node;
  const auto pool = node.network("n1", "10.0.3.0/29");
  REQUIRE(node.store().put(RecordKind::pool, "torn", "{\"version\":1,"));
  REQUIRE(node.store().put(RecordKind::pool, "other", node.store().load(RecordKind::pool).value().at(pool)));
  node.restart();
  CHECK(node.choose(pool) == "10.0.3.1");
  CHECK(node.refusal("torn").kind == ErrorKind::not_found);
  CHECK(node.refusal("other").kind == ErrorKind::not_found);
  CHECK(std::filesystem::exists(node.folder() + "/pools/torn.json.broken-1"));
  CHECK(std::filesystem::exists(node.folder() + "/pools/other.json.broken-1"));
}

TEST_CASE("a pool of a newer program stays as it is, and the pools are not opened without it") {
  test::Scratch scratch;
  auto store = Store::open(scratch.path());
  REQUIRE(store);
  const std::string newer = R"({"version":99,"id":"later","pool":"10.0.3.0/24"})";
  REQUIRE(store->put(RecordKind::pool, "later", newer));
  const auto opened = Pools::open(*store, {});
  REQUIRE_FALSE(opened);
  CHECK(opened.error().kind == ErrorKind::unsupported);
  CHECK(opened.error().what.find("pool later") != std::string::npos);
  CHECK(store->load(RecordKind::pool).value().at("later") == newer);
}

TEST_CASE("a lease of a newer program stays as it is, and the pools are not opened without it") {
  test::Scratch scratch;
  auto store = Store::open(scratch.path());
  REQUIRE(store);
  std::string pool;
  {
    auto pools = Pools::open(*store, {});
    REQUIRE(pools);
    pool = pools->request_pool("10.0.3.0/24", "", false).value().id;
    REQUIRE(pools->request_address(pool, ip("10.0.3.3"), false));
  }
  const std::string newer = "plumb-lease 2\nwhat nobody knows yet";
  REQUIRE(store->put_lease(pool, "10.0.3.4", newer));
  const auto before = store->load_leases(pool).value();
  const auto refused = Pools::open(*store, {});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == ErrorKind::unsupported);
  CHECK(refused.error().what == "read the record of lease 10.0.3.4 of pool " + pool +
                                    ": it has version 2 and this program knows version 1 only");
  CHECK(store->load_leases(pool).value() == before);
  // Without it the other one counts.
  REQUIRE(store->remove_lease(pool, "10.0.3.4"));
  auto again = Pools::open(*store, {});
  REQUIRE(again);
  CHECK(again->request_address(pool, ip("10.0.3.3"), false));
  CHECK(store->load_leases(pool).value().size() == 1);
}

TEST_CASE("old leases without an endpoint are taken back, but only when an address is needed") {
  Node node;
  const auto pool = node.network("n1", "10.0.3.0/29", "10.0.3.4/30");
  const auto unbound = node.pools().request_pool("10.0.3.0/29", "", false).value().id;
  REQUIRE(node.pools().request_address(unbound, ip("10.0.3.6"), false));
  CHECK(node.choose(pool) == "10.0.3.4");
  CHECK(node.choose(pool) == "10.0.3.5");
  node.endpoints = {"n1 10.0.3.5"};
  node.uptime += seconds(60);
  CHECK(node.refusal(pool).kind == ErrorKind::exists);
  CHECK(node.store().load_leases(pool).value().size() == 2);
  node.uptime += seconds(1);
  CHECK(node.choose(pool) == "10.0.3.4");
  CHECK(node.refusal(pool).kind == ErrorKind::exists);
  CHECK(node.store().load_leases(pool).value().size() == 2);
}

TEST_CASE("a lease of an overlapping network is taken back too, with its age from before a restart") {
  Node node;
  const auto first = node.network("n1", "10.0.3.0/30");
  const auto second = node.network("n2", "10.0.3.0/30");
  CHECK(node.choose(first) == "10.0.3.1");
  CHECK(node.choose(first) == "10.0.3.2");
  node.uptime += seconds(61);
  node.restart();
  CHECK(node.choose(second) == "10.0.3.1");
  CHECK(node.store().load_leases(first).value().empty());
}

TEST_CASE("parallel requests get different addresses") {
  Node node;
  const auto pool = node.network("n1", "10.0.3.0/24");
  const auto other = node.network("n2", "10.0.3.0/24");
  // All are in their first probe at once.
  std::latch together(8);
  std::atomic<int> first = 0;
  node.while_probing = [&] {
    if (first++ < 8) together.arrive_and_wait();
  };
  std::mutex mutex;
  std::multiset<std::string> given;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i)
      threads.emplace_back([&, i] {
        for (int n = 0; n < 20; ++n) {
          const auto address = node.pools().request_address(i % 2 == 0 ? pool : other, {}, false);
          const std::lock_guard lock(mutex);
          given.insert(address ? address->to_string() : address.error().what);
        }
      });
  }
  CHECK(given.size() == 160);
  CHECK(std::set<std::string>(given.begin(), given.end()).size() == 160);
}

TEST_CASE("an address that is given by name during its probe is not given twice") {
  Node node;
  const auto pool = node.network("n1", "10.0.3.0/24");
  bool asked = false;
  node.while_probing = [&] {
    if (!std::exchange(asked, true)) CHECK(node.pools().request_address(pool, ip("10.0.3.1"), false).has_value());
  };
  CHECK(node.choose(pool) == "10.0.3.2");
}

TEST_CASE("an address that is being probed is offered to nobody else") {
  Node node;
  const auto pool = node.network("n1", "10.0.3.0/24");
  const auto other = node.network("n2", "10.0.3.0/24");
  bool asked = false;
  node.while_probing = [&] {
    if (!std::exchange(asked, true)) CHECK(node.choose(other) == "10.0.3.2");
  };
  CHECK(node.choose(pool) == "10.0.3.1");
}

TEST_CASE("a lease that is renewed while it is about to be taken back is kept") {
  Node node;
  const auto pool = node.network("n1", "10.0.3.0/30");
  CHECK(node.choose(pool) == "10.0.3.1");
  CHECK(node.choose(pool) == "10.0.3.2");
  node.uptime += seconds(61);
  bool asked = false;
  node.while_asking = [&] {
    if (!std::exchange(asked, true)) CHECK(node.pools().request_address(pool, ip("10.0.3.1"), false).has_value());
  };
  CHECK(node.choose(pool) == "10.0.3.2");
}

TEST_CASE("a pool that is released during a probe gives no address") {
  Node node;
  const auto pool = node.network("n1", "10.0.3.0/24");
  node.while_probing = [&] { CHECK(node.pools().release_pool(pool).has_value()); };
  CHECK(node.refusal(pool).kind == ErrorKind::not_found);
}

TEST_CASE("a network is bound to the newest pool of its subnet and gateway, once") {
  Node node;
  node.lan = {"10.0.3.1", "10.0.3.2"};
  const auto pool_of = [&](const char* gateway) {
    auto id = node.pools().request_pool("10.0.3.0/24", "", false).value().id;
    REQUIRE(node.pools().request_address(id, ip(gateway), true));
    return id;
  };
  const auto other = pool_of("10.0.3.254");
  const auto oldest = pool_of("10.0.3.253");
  const auto youngest = pool_of("10.0.3.253");
  node.restart();
  NetworkRecord record;
  record.id = "n1";
  record.subnets = {{cidr("10.0.3.0/24"), ip("10.0.3.253"), {}}, {cidr("10.9.0.0/24"), {}, {}}};
  CHECK(node.pools().bind(record).has_value());
  CHECK(node.pools().bind(record).has_value());
  const auto bound = [&](const std::string& id) {
    return decode_pool(node.store().load(RecordKind::pool).value().at(id)).value().network;
  };
  CHECK(bound(youngest) == "n1");
  CHECK(bound(oldest).empty());
  CHECK(bound(other).empty());
  record.id = "n2";
  CHECK(node.pools().bind(record).has_value());
  CHECK(bound(oldest) == "n2");
  CHECK(bound(other).empty());
}

TEST_CASE("hundreds of leases in a large subnet do not slow a choice down") {
  Node node;
  const auto pool = node.pools().request_pool("10.0.0.0/16", "", false).value().id;
  std::set<std::string> given;
  for (int i = 0; i < 600; ++i) given.insert(node.choose(pool));
  CHECK(given.size() == 600);
  node.restart();
  CHECK(node.choose(pool) == "10.0.2.89");
}
