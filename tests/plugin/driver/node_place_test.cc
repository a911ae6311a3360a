// Where a node's choice of addresses begins, and that it goes around all of the range from there.
#include "plugin/driver/node_place.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "plugin/driver/pools.h"
#include "plugin/driver/record/subnet.h"
#include "tests/docker_client/scratch.h"

using namespace plumb;
using namespace plumb::driver;

namespace {

IpAddress ip(std::string_view text) { return IpAddress::parse(text).value(); }
Cidr cidr(std::string_view text) { return Cidr::parse(text).value(); }

// A driver's pools on a node with that place, and one network.
class Node {
 public:
  explicit Node(std::uint64_t place) : store_(Store::open(scratch_.path()).value()), place_(place) { start(); }

  void restart() {
    pools_.reset();
    start();
  }
  std::string network(const std::string& subnet, const std::string& range = {}, const std::string& gateway = {},
                      const std::vector<std::string>& auxiliaries = {}) {
    const auto pool = pools_->request_pool(subnet, range, cidr(subnet).address().is_v6()).value();
    Subnet made{pool.pool, {}, {}};
    if (!gateway.empty()) {
      made.gateway = ip(gateway);
      REQUIRE(pools_->request_address(pool.id, made.gateway, true));
    }
    for (const auto& text : auxiliaries) made.auxiliaries.push_back(ip(text));
    NetworkRecord record;
    record.id = "n1";
    record.subnets = {made};
    REQUIRE(pools_->bind(record));
    return pool.id;
  }
  // Until none is left, at most that many.
  std::vector<std::string> choose(const std::string& pool, std::size_t most) {
    std::vector<std::string> out;
    while (out.size() < most) {
      const auto address = pools_->request_address(pool, {}, false);
      if (!address) break;
      out.push_back(address->address().to_string());
    }
    return out;
  }

 private:
  void start() {
    Neighbourhood neighbourhood;
    neighbourhood.endpoint_with = [](const std::string&, const IpAddress&) { return std::string(); };
    neighbourhood.answers = [](const std::string&, const IpAddress&) -> Result<bool> { return false; };
    neighbourhood.place = [this](const std::string&) { return place_; };
    pools_.emplace(Pools::open(store_, std::move(neighbourhood)).value());
  }

  test::Scratch scratch_;
  Store store_;
  std::uint64_t place_;
  std::optional<Pools> pools_;
};

constexpr std::uint64_t kMiddle = std::uint64_t{1} << 63U;
constexpr std::uint64_t kLast = ~std::uint64_t{0};

}  // namespace

TEST_CASE("any one difference between clones is enough for another place, and the same words have the same one") {
  const std::string machine = "0123456789abcdef0123456789abcdef";
  const auto place = place_of(machine, "n1", "02:00:0a:00:03:0b");
  CHECK(place == place_of(machine, "n1", "02:00:0a:00:03:0b"));
  const std::set<std::uint64_t> all{
      place,
      place_of("0123456789abcdef0123456789abcdee", "n1", "02:00:0a:00:03:0b"),
      place_of(machine, "n2", "02:00:0a:00:03:0b"),
      place_of(machine, "n1", "02:00:0a:00:03:0c"),
      place_of(machine + "n", "1", "02:00:0a:00:03:0b"),
      place_of(machine, "n1", ""),
  };
  CHECK(all.size() == 6);
  const auto mac = Mac::parse("02:00:0a:00:03:0b").value();
  CHECK(node_place(mac) == node_place(mac));
  CHECK(node_place(mac) != node_place({}));
}

TEST_CASE("nodes that differ in one digit begin all over a subnet, as if each had drawn its place") {
  const auto subnet = cidr("10.0.3.0/24");
  std::map<IpAddress, int> begun;
  for (int i = 0; i < 1000; ++i)
    ++begun[address_at(subnet,
                       place_of("0123456789abcdef0123456789abcdef", "node" + std::to_string(i), "02:00:0a:00:03:0b"))];
  // Of 256 places of which each is drawn 3.9 times, 5.2 stay empty, and none is drawn more than some 13 times.
  CHECK(begun.size() > 240);
  CHECK(std::max_element(begun.begin(), begun.end(), [](const auto& a, const auto& b) {
          return a.second < b.second;
        })->second < 16);
}

TEST_CASE("a choice begins at the node's place, goes on from there and around, and leaves out what is nobody's") {
  Node node(kMiddle);
  const auto pool = node.network("10.0.3.0/28", {}, "10.0.3.9", {"10.0.3.1"});
  CHECK(node.choose(pool, 99) == std::vector<std::string>{"10.0.3.8", "10.0.3.10", "10.0.3.11", "10.0.3.12",
                                                          "10.0.3.13", "10.0.3.14", "10.0.3.2", "10.0.3.3", "10.0.3.4",
                                                          "10.0.3.5", "10.0.3.6", "10.0.3.7"});
}

TEST_CASE("nodes choose apart, and only with the same place the same") {
  const auto first_of = [](std::uint64_t place) {
    Node node(place);
    return node.choose(node.network("10.0.3.0/24"), 3);
  };
  const auto one = first_of(place_of("machine", "n1", "02:00:0a:00:03:0b"));
  CHECK(one == first_of(place_of("machine", "n1", "02:00:0a:00:03:0b")));
  auto all = one;
  for (const char* host : {"n2", "n3"})
    for (const auto& address : first_of(place_of("machine", host, "02:00:0a:00:03:0b"))) all.push_back(address);
  CHECK(std::set(all.begin(), all.end()).size() == 9);
}

TEST_CASE("small ranges, and those at whose end the place lies, are used whole") {
  const auto chosen = [](std::uint64_t place, const char* subnet, const char* range) {
    Node node(place);
    return node.choose(node.network(subnet, range), 99);
  };
  CHECK(chosen(kLast, "10.0.3.0/24", "10.0.3.64/30") ==
        std::vector<std::string>{"10.0.3.67", "10.0.3.64", "10.0.3.65", "10.0.3.66"});
  CHECK(chosen(kLast, "10.0.3.0/30", "") == std::vector<std::string>{"10.0.3.1", "10.0.3.2"});
  CHECK(chosen(kMiddle, "10.0.3.4/31", "") == std::vector<std::string>{"10.0.3.5", "10.0.3.4"});
  CHECK(chosen(kLast, "10.0.3.4/32", "") == std::vector<std::string>{"10.0.3.4"});
  CHECK(chosen(kMiddle, "fd00::/126", "") == std::vector<std::string>{"fd00::2", "fd00::3", "fd00::1"});
}

TEST_CASE("an IPv6 address is chosen among the first 2^32 of a subnet") {
  Node node(kMiddle);
  CHECK(node.choose(node.network("fd00:10:3::/64"), 2) ==
        std::vector<std::string>{"fd00:10:3::8000:0", "fd00:10:3::8000:1"});
  Node last(kLast);
  CHECK(last.choose(last.network("fd00:10:3::/64"), 2) ==
        std::vector<std::string>{"fd00:10:3::ffff:ffff", "fd00:10:3::1:0:0"});
}

TEST_CASE("after a restart the choice goes on after the last lease, and where there is none begins as before") {
  Node node(kMiddle);
  const auto pool = node.network("10.0.3.0/24");
  node.restart();
  CHECK(node.choose(pool, 2) == std::vector<std::string>{"10.0.3.128", "10.0.3.129"});
  node.restart();
  CHECK(node.choose(pool, 1) == std::vector<std::string>{"10.0.3.130"});
}

TEST_CASE("a pool that no network uses has no uplink, and begins at its first address") {
  test::Scratch scratch;
  auto store = Store::open(scratch.path()).value();
  Neighbourhood neighbourhood;
  neighbourhood.place = [](const std::string&) { return kMiddle; };
  auto pools = Pools::open(store, std::move(neighbourhood)).value();
  const auto pool = pools.request_pool("10.0.3.0/24", "", false).value().id;
  CHECK(pools.request_address(pool, {}, false).value() == cidr("10.0.3.1/24"));
}
