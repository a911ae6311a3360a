// The frames of hellos: tables of bytes, no kernel.
#include "netns/wire/hello_message.h"

#include <doctest/doctest.h>

#include "netns/wire/handover_message.h"
#include "tests/netns/lan.h"

namespace plumb::netns {
namespace {

using test::ip;
using test::mac;

HelloEntry entry(const char* address, std::uint64_t number = 7) {
  return {HelloEntry::What::claim, 5, ip(address), mac("02:00:00:00:00:01"), ~0ULL, number, 2, 3};
}

TEST_CASE("a hello survives the way through a frame, in each kind and both families") {
  std::vector<HelloEntry> entries;
  for (const auto what : {HelloEntry::What::claim, HelloEntry::What::relayed, HelloEntry::What::gone})
    for (const char* address : {"10.0.3.3", "fd00:3::3"}) {
      entries.push_back(entry(address));
      entries.back().what = what;
    }
  for (const std::string& node : {std::string(), std::string("n1"), std::string(255, 'n')}) {
    const auto frames = encode_hello(mac("02:00:00:00:00:01"), node, entries);
    REQUIRE(frames.size() == 1);
    CHECK(frames.front().size() >= 60);
    CHECK(decode_hello(frames.front()) == HelloMessage{node, entries});
  }
}

TEST_CASE("a thousand claims take as many frames as an Ethernet needs, and none is lost") {
  std::vector<HelloEntry> entries;
  for (std::uint64_t i = 0; i < 1000; ++i) entries.push_back(entry(i % 2 == 0 ? "10.0.3.3" : "fd00:3::3", i));
  std::vector<HelloEntry> heard;
  for (const auto& frame : encode_hello(mac("02:00:00:00:00:01"), "n1", entries)) {
    CHECK(frame.size() <= 1514);
    const auto hello = decode_hello(frame);
    REQUIRE(hello);
    heard.insert(heard.end(), hello->entries.begin(), hello->entries.end());
  }
  CHECK(heard == entries);
  CHECK(encode_hello(mac("02:00:00:00:00:01"), "n1", {}).empty());
}

TEST_CASE("what is no hello is none, wherever it is cut or changed, and a hand-over's message is none") {
  const auto whole = encode_hello(mac("02:00:00:00:00:01"), "n1", std::vector{entry("10.0.3.3")}).front();
  const std::size_t used = 14 + 5 + 1 + 2 + 1 + 3 + 4 + 6 + 32;
  for (std::size_t size = 0; size < used; ++size) CHECK_FALSE(decode_hello(std::span(whole).first(size)));
  CHECK(decode_hello(std::span(whole).first(used)));
  for (const std::size_t at : {12U, 13U, 14U, 17U, 18U}) {
    auto changed = whole;
    changed[at] ^= 0x40U;
    CHECK_FALSE(decode_hello(changed));
  }
  auto family = whole;
  family[14 + 5 + 1 + 2 + 1 + 2] = 5;
  CHECK_FALSE(decode_hello(family));
  CHECK_FALSE(decode_hello(encode_handover(mac("02:00:00:00:00:01"), {HandoverWord::request, 1, "svc1", "n2"})));
  CHECK_FALSE(decode_handover(whole));
}

}  // namespace
}  // namespace plumb::netns
