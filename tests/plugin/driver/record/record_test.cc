#include <doctest/doctest.h>

#include "plugin/driver/record/record.h"

using namespace plumb;
using namespace plumb::driver;

namespace {

IpAddress ip(std::string_view text) { return IpAddress::parse(text).value(); }
Cidr cidr(std::string_view text) { return Cidr::parse(text).value(); }

NetworkRecord network() {
  NetworkRecord out;
  out.id = "n1";
  out.options = {{"parent", "eth0"}, {"mtu", "1400"}};
  out.internal = true;
  out.subnets = {{cidr("10.0.3.0/24"), ip("10.0.3.1"), {ip("10.0.3.5"), ip("10.0.3.6")}}, {cidr("fd00::/64"), {}, {}}};
  return out;
}

EndpointRecord endpoint() {
  EndpointRecord out;
  out.id = "e1";
  out.network = "n1";
  out.addresses = {cidr("10.0.3.3/24"), cidr("fd00::3/64")};
  out.mac = Mac::parse("02:00:0a:00:03:03").value();
  out.device = "plm1";
  out.outer = "plo1";
  out.sandbox = "/var/run/docker/netns/0123456789ab";
  out.boot_id = "b";
  out.was = DedicatedMark{"eth1", Mac::parse("02:00:00:00:00:01").value(), 1500, true};
  out.claims[ip("10.0.3.3")] = {{1'796'000'000'000, 18'446'744'073'709'551'615U, 7}, 1'796'000'000'001};
  return out;
}

PoolRecord pool() {
  return {"p1", 7, cidr("10.0.3.0/24"), cidr("10.0.3.64/26"), ip("10.0.3.1"), {ip("10.0.3.5")}, "n1"};
}

std::string reason(const std::string& text) {
  const auto decoded = decode_pool(text);
  REQUIRE_FALSE(decoded);
  return decoded.error().what;
}

bool says(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

}  // namespace

TEST_CASE("a network comes back as it was, with its options parsed") {
  const auto back = decode_network(encode(network()));
  REQUIRE(back);
  CHECK(back->id == "n1");
  CHECK(back->options == network().options);
  CHECK(back->parsed.link.ipdev == "eth0");
  CHECK(back->parsed.link.mtu == 1400U);
  CHECK(back->internal);
  REQUIRE(back->subnets.size() == 2);
  CHECK(back->subnets[0].pool == cidr("10.0.3.0/24"));
  CHECK(back->subnets[0].gateway == ip("10.0.3.1"));
  CHECK(back->subnets[0].auxiliaries == network().subnets[0].auxiliaries);
  CHECK(back->subnets[1].pool == cidr("fd00::/64"));
  CHECK_FALSE(back->subnets[1].gateway);
}

TEST_CASE("a network with options that this program does not know is refused") {
  auto record = network();
  record.options["colour"] = "red";
  const auto back = decode_network(encode(record));
  REQUIRE_FALSE(back);
  CHECK(back.error().kind == ErrorKind::failed);
  CHECK(says(back.error().what, "option -o colour"));
}

TEST_CASE("an endpoint comes back as it was") {
  const auto back = decode_endpoint(encode(endpoint()));
  REQUIRE(back);
  CHECK(back->id == "e1");
  CHECK(back->network == "n1");
  CHECK(back->addresses == endpoint().addresses);
  CHECK(back->mac == endpoint().mac);
  CHECK(back->device == "plm1");
  CHECK(back->outer == "plo1");
  CHECK(back->sandbox == endpoint().sandbox);
  CHECK(back->boot_id == "b");
  REQUIRE(back->was);
  CHECK(back->was->device == "eth1");
  CHECK(back->was->mac == endpoint().was->mac);
  CHECK(back->was->mtu == 1500);
  CHECK(back->was->up);
}

TEST_CASE("an endpoint without MAC and mark comes back without") {
  EndpointRecord record;
  record.id = "e1";
  record.network = "n1";
  const auto back = decode_endpoint(encode(record));
  REQUIRE(back);
  CHECK_FALSE(back->mac);
  CHECK_FALSE(back->was);
  CHECK(back->addresses.empty());
}

TEST_CASE("a claim comes back as it was, and what is none is refused") {
  const auto text = encode(endpoint());
  const auto back = decode_endpoint(text);
  REQUIRE(back);
  REQUIRE(back->claims.size() == 1);
  const auto& [address, kept] = *back->claims.begin();
  CHECK(address == ip("10.0.3.3"));
  CHECK(kept.rank == claim::Rank{1'796'000'000'000, 18'446'744'073'709'551'615U, 7});
  CHECK(kept.highest_epoch == 1'796'000'000'001);
  const std::string written = "1796000000000 18446744073709551615 7 1796000000001";
  const auto at = text.find(written);
  REQUIRE(at != std::string::npos);
  for (const std::string wrong :
       {"", "1", "1 2 3", "1 2 3 4 ", "1 2 3 4 5", "1 2  3 4", "a b c d", "-1 2 3 4", "18446744073709551616 2 3 4"}) {
    CAPTURE(wrong);
    CHECK_FALSE(decode_endpoint(std::string(text).replace(at, written.size(), wrong)));
  }
}

TEST_CASE("a pool comes back as it was") {
  const auto back = decode_pool(encode(pool()));
  REQUIRE(back);
  CHECK(back->id == "p1");
  CHECK(back->number == 7);
  CHECK(back->pool == pool().pool);
  CHECK(back->range == pool().range);
  CHECK(back->gateway == pool().gateway);
  CHECK(back->auxiliaries == pool().auxiliaries);
  CHECK(back->network == "n1");
}

TEST_CASE("a record of a newer program is told from a broken one") {
  const auto newer = decode_pool(replaced(encode(pool()), "\"version\":1", "\"version\":2"));
  REQUIRE_FALSE(newer);
  CHECK(newer.error().kind == ErrorKind::unsupported);
  CHECK(newer.error().what == "it has version 2 and this program knows version 1 only");
  for (const char* version : {"0", "-1", "1.5", "\"1\"", "null", "[]"}) {
    const auto other = decode_pool(replaced(encode(pool()), "\"version\":1", std::string("\"version\":") + version));
    REQUIRE_FALSE(other);
    CHECK(other.error().kind == ErrorKind::failed);
  }
}

TEST_CASE("text that is no record is refused, whatever it is") {
  const std::string deep(100'000, '[');
  for (const std::string& text :
       {std::string(), std::string("{"), std::string("[]"), std::string("null"), std::string("\xff\xfe"),
        std::string("{\"version\":1}"), std::string("{\"version\":1e999}"), std::string(3, '\0'), deep,
        encode(pool()).substr(0, 40)}) {
    CHECK_FALSE(decode_network(text));
    CHECK_FALSE(decode_endpoint(text));
    CHECK_FALSE(decode_pool(text));
  }
}

TEST_CASE("fields of another type are refused, by name") {
  const auto text = encode(pool());
  CHECK(says(reason(replaced(text, "\"p1\"", "5")), "id is not a text"));
  CHECK(says(reason(replaced(text, "\"p1\"", "\"../p1\"")), "is not an id"));
  const std::string long_id(64, 'f');
  CHECK(says(reason(replaced(replaced(text, "\"p1\"", "\"" + long_id + "\""), "7", "null")), "number is not a number"));
  CHECK(says(reason(replaced(text, "\"number\":7", "\"number\":-7")), "number is not a number"));
  CHECK(says(reason(replaced(text, "[\"10.0.3.5\"]", "[5]")), "auxiliaries has an item that is not a text"));
  CHECK(says(reason(replaced(text, "[\"10.0.3.5\"]", "{}")), "auxiliaries is not a list"));
  CHECK(says(reason(replaced(text, "\"10.0.3.1\"", "\"10.0.3\"")), "gateway: "));
  CHECK(says(reason(replaced(text, "\"n1\"", "\"/\"")), "network \"/\" is not an id"));
  CHECK_FALSE(decode_network(replaced(encode(network()), "\"internal\":true", "\"internal\":1")));
  CHECK_FALSE(decode_network(replaced(encode(network()), "\"1400\"", "1400")));
  CHECK_FALSE(decode_network(replaced(encode(network()), "[{", "[7,{")));
  CHECK_FALSE(decode_endpoint(replaced(encode(endpoint()), "plumb dedicated", "something")));
}

TEST_CASE("a pool that makes no sense is refused") {
  const auto text = encode(pool());
  CHECK(says(reason(replaced(text, "10.0.3.0/24", "10.0.3.7/24")), "is an address in a subnet"));
  CHECK(says(reason(replaced(text, "10.0.3.64/26", "10.0.4.64/26")), "is not part of 10.0.3.0/24"));
  CHECK(says(reason(replaced(text, "10.0.3.64/26", "10.0.0.0/16")), "is not part of 10.0.3.0/24"));
  CHECK(says(reason(replaced(text, "\"10.0.3.0/24\"", "\"\"")), "pool is missing"));
}
