#include "specs/value/ip.h"

#include <doctest/doctest.h>
#include <sys/socket.h>

#include <array>
#include <set>
#include <string>
#include <vector>

using plumb::Cidr;
using plumb::IfName;
using plumb::IpAddress;
using plumb::Mac;

namespace {

IpAddress ip(const char* text) { return IpAddress::parse(text).value(); }

}  // namespace

TEST_CASE("IPv4 addresses") {
  for (const auto* text : {"0.0.0.0", "10.0.3.3", "255.255.255.255", "127.0.0.1"}) {
    const auto address = ip(text);
    CHECK_FALSE(address.is_v6());
    CHECK(address.family() == AF_INET);
    CHECK(address.bits() == 32);
    CHECK(address.bytes().size() == 4);
    CHECK(address.to_string() == text);
  }
  for (const auto* bad : {"", "10", "10.0.3", "10.0.3.3.3", "10.0.3.256", "10.0.3.-1", "010.0.3.3", " 10.0.3.3",
                          "10.0.3.3 ", "10.0.3.3/24", "0x0a.0.3.3", "10..3.3"})
    CHECK_MESSAGE(!IpAddress::parse(bad).has_value(), bad);
  CHECK_FALSE(IpAddress::parse(std::string_view("10.0.3.3\0", 9)).has_value());
}

TEST_CASE("IPv6 addresses are written as RFC 5952 says") {
  const std::vector<std::pair<const char*, const char*>> cases = {{"::", "::"},
                                                                  {"::1", "::1"},
                                                                  {"2001:DB8::3", "2001:db8::3"},
                                                                  {"2001:db8:0:0:0:0:0:3", "2001:db8::3"},
                                                                  {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
                                                                  {"::ffff:10.0.3.3", "::ffff:10.0.3.3"},
                                                                  {"fe80::0001", "fe80::1"}};
  for (const auto& [text, canonical] : cases) {
    const auto address = ip(text);
    CHECK(address.is_v6());
    CHECK(address.family() == AF_INET6);
    CHECK(address.bits() == 128);
    CHECK(address.bytes().size() == 16);
    CHECK(address.to_string() == canonical);
  }
  for (const auto* bad : {":", ":::", "1::2::3", "2001:db8::g", "fe80::1%eth0", "12345::", "1:2:3:4:5:6:7",
                          "1:2:3:4:5:6:7:8:9", "::1/128", "[::1]"})
    CHECK_MESSAGE(!IpAddress::parse(bad).has_value(), bad);
}

TEST_CASE("addresses from bytes") {
  const std::array<std::uint8_t, 4> four = {10, 0, 3, 3};
  CHECK(IpAddress::from_bytes(four).value() == ip("10.0.3.3"));
  std::array<std::uint8_t, 16> sixteen{};
  sixteen[15] = 1;
  CHECK(IpAddress::from_bytes(sixteen).value() == ip("::1"));
  const std::array<std::uint8_t, 5> five{};
  CHECK_FALSE(IpAddress::from_bytes(five).has_value());
  CHECK_FALSE(IpAddress::from_bytes({}).has_value());
  CHECK(IpAddress::from_bytes(ip("2001:db8::3").bytes()).value() == ip("2001:db8::3"));
}

TEST_CASE("kinds of addresses") {
  struct Case {
    const char* text;
    bool any, loopback, multicast, link_local;
  };
  const std::vector<Case> cases = {{"0.0.0.0", true, false, false, false},
                                   {"::", true, false, false, false},
                                   {"127.0.0.1", false, true, false, false},
                                   {"127.255.0.9", false, true, false, false},
                                   {"128.0.0.1", false, false, false, false},
                                   {"::1", false, true, false, false},
                                   {"::2", false, false, false, false},
                                   {"224.0.0.1", false, false, true, false},
                                   {"239.255.255.255", false, false, true, false},
                                   {"240.0.0.1", false, false, false, false},
                                   {"223.255.255.255", false, false, false, false},
                                   {"ff02::1", false, false, true, false},
                                   {"169.254.1.1", false, false, false, true},
                                   {"169.253.1.1", false, false, false, false},
                                   {"fe80::1", false, false, false, true},
                                   {"febf::1", false, false, false, true},
                                   {"fec0::1", false, false, false, false}};
  for (const auto& c : cases) {
    CAPTURE(c.text);
    CHECK(ip(c.text).is_any() == c.any);
    CHECK(ip(c.text).is_loopback() == c.loopback);
    CHECK(ip(c.text).is_multicast() == c.multicast);
    CHECK(ip(c.text).is_link_local() == c.link_local);
  }
  CHECK(IpAddress::any_v4() == ip("0.0.0.0"));
  CHECK(IpAddress::any_v6() == ip("::"));
  CHECK(IpAddress::any_v4() != IpAddress::any_v6());
}

TEST_CASE("addresses are ordered, so that they can be keys") {
  const std::set<IpAddress> set = {ip("10.0.3.3"), ip("10.0.3.3"), ip("10.0.3.4"), ip("::")};
  CHECK(set.size() == 3);
}

TEST_CASE("networks") {
  const auto cidr = Cidr::parse("10.0.3.3/24").value();
  CHECK(cidr.address() == ip("10.0.3.3"));
  CHECK(cidr.prefix() == 24);
  CHECK(cidr.to_string() == "10.0.3.3/24");
  CHECK(cidr.contains(ip("10.0.3.0")));
  CHECK(cidr.contains(ip("10.0.3.255")));
  CHECK_FALSE(cidr.contains(ip("10.0.4.0")));
  CHECK_FALSE(cidr.contains(ip("10.0.2.255")));
  CHECK_FALSE(cidr.contains(ip("::ffff:10.0.3.3")));
  CHECK(Cidr::parse("10.0.3.3/0").value().contains(ip("192.0.2.1")));
  CHECK(Cidr::parse("10.0.3.3/32").value().contains(ip("10.0.3.3")));
  CHECK_FALSE(Cidr::parse("10.0.3.3/32").value().contains(ip("10.0.3.2")));
  CHECK(Cidr::parse("10.0.3.3/23").value().contains(ip("10.0.2.1")));
  CHECK(Cidr::parse("2001:db8::3/64").value().contains(ip("2001:db8::ffff")));
  CHECK_FALSE(Cidr::parse("2001:db8::3/64").value().contains(ip("2001:db8:0:1::3")));
  CHECK(Cidr::parse("2001:db8::3/65").value().contains(ip("2001:db8::7fff:0:0:1")));
  CHECK_FALSE(Cidr::parse("2001:db8::3/65").value().contains(ip("2001:db8::8000:0:0:1")));
  for (const auto* bad : {"", "10.0.3.3", "10.0.3.3/", "10.0.3.3/33", "10.0.3.3/-1", "10.0.3.3/+1", "10.0.3.3/2 4",
                          "/24", "::1/129", "10.0.3.3/255.255.255.0"})
    CHECK_MESSAGE(!Cidr::parse(bad).has_value(), bad);
  CHECK(Cidr::make(ip("10.0.3.3"), 32).has_value());
  CHECK_FALSE(Cidr::make(ip("10.0.3.3"), 33).has_value());
  CHECK(Cidr::make(ip("::1"), 128).has_value());
  CHECK_FALSE(Cidr::make(ip("::1"), 129).has_value());
}

TEST_CASE("broadcast addresses") {
  CHECK(Cidr::parse("10.0.3.3/24").value().broadcast() == ip("10.0.3.255"));
  CHECK(Cidr::parse("10.0.3.3/20").value().broadcast() == ip("10.0.15.255"));
  CHECK(Cidr::parse("10.0.3.3/30").value().broadcast() == ip("10.0.3.3"));
  CHECK(Cidr::parse("10.0.3.3/0").value().broadcast() == ip("255.255.255.255"));
  CHECK_FALSE(Cidr::parse("10.0.3.3/31").value().broadcast().has_value());
  CHECK_FALSE(Cidr::parse("10.0.3.3/32").value().broadcast().has_value());
  CHECK_FALSE(Cidr::parse("2001:db8::3/64").value().broadcast().has_value());
}

TEST_CASE("netmasks") {
  for (unsigned length = 0; length <= 32; ++length) {
    const std::uint32_t bits = length == 0 ? 0 : 0xffffffffU << (32 - length);
    const std::string dotted = std::to_string(bits >> 24U) + "." + std::to_string((bits >> 16U) & 255U) + "." +
                               std::to_string((bits >> 8U) & 255U) + "." + std::to_string(bits & 255U);
    CHECK(Cidr::parse_netmask(dotted, false).value() == length);
    CHECK(Cidr::parse_netmask(std::to_string(length), false).value() == length);
    CHECK_FALSE(Cidr::parse_netmask(dotted, true).has_value());
  }
  CHECK(Cidr::parse_netmask("128", true).value() == 128);
  for (const auto* bad :
       {"", "33", "-1", "255.0.255.0", "0.0.0.255", "255.255.255", "255.255.255.1", "ffffff00", "::", "24 "})
    CHECK_MESSAGE(!Cidr::parse_netmask(bad, false).has_value(), bad);
  for (const auto* bad : {"", "129", "ffff::", "/64"}) CHECK_MESSAGE(!Cidr::parse_netmask(bad, true).has_value(), bad);
}

TEST_CASE("Ethernet addresses") {
  const auto mac = Mac::parse("02:42:0A:00:03:03").value();
  CHECK(mac.to_string() == "02:42:0a:00:03:03");
  CHECK(mac.bytes()[2] == 10);
  CHECK_FALSE(mac.is_multicast());
  CHECK(Mac::parse("01:00:5e:00:00:01").value().is_multicast());
  CHECK(Mac::parse("ff:ff:ff:ff:ff:ff").value().is_multicast());
  CHECK(Mac::from_bytes(mac.bytes()).value() == mac);
  const std::array<std::uint8_t, 5> five{};
  CHECK_FALSE(Mac::from_bytes(five).has_value());
  for (const auto* bad :
       {"", "02:42:0a:00:03", "02:42:0a:00:03:03:03", "02-42-0a-00-03-03", "02420a000303", "02:42:0a:00:03:0g",
        "2:42:0a:00:03:03:", "02:42:0a:00:03: 3", "02:42:0a:00:03:+3", "02:42:0a:00:03:-3", "0x:42:0a:00:03:03"})
    CHECK_MESSAGE(!Mac::parse(bad).has_value(), bad);
}

TEST_CASE("device names") {
  for (const auto* good : {"eth0", "a", "eth0.44", "br-lan", "enp0s31f6", "fifteen-bytes-x", "caf\xc3\xa9", "%d"})
    CHECK_MESSAGE(IfName::parse(good).has_value(), good);
  for (const auto* bad : {"", ".", "..", "sixteen-bytes-xx", "eth0:1", "a/b", "a b", "a\tb", "a\n"})
    CHECK_MESSAGE(!IfName::parse(bad).has_value(), bad);
  CHECK_FALSE(IfName::parse(std::string_view("a\0b", 3)).has_value());
  CHECK(IfName::parse("eth0").value().str() == "eth0");
  CHECK(std::string(IfName::parse("eth0").value().c_str()) == "eth0");
}
