#include "netns/lan/handover.h"

#include <doctest/doctest.h>
#include <poll.h>

#include "tests/netns/lan.h"

namespace plumb::netns {
namespace {

using test::mac;
using test::must;

const HandoverMessage& question() {
  static const HandoverMessage its{HandoverWord::request, 0x0123456789abcdef, "svc1", "n2"};
  return its;
}

// The first message that is heard, within 5 s.
std::optional<HandoverMessage> heard(HandoverChannel& channel) {
  pollfd waiting{channel.fd(), POLLIN, 0};
  while (::poll(&waiting, 1, 5000) == 1)
    if (auto message = channel.read()) return message;
  return std::nullopt;
}

TEST_CASE("a hand-over's message survives the way through a frame") {
  for (const auto& message :
       {question(), HandoverMessage{HandoverWord::withdrawn, ~0ULL, std::string(255, 's'), std::string(255, 'n')},
        HandoverMessage{HandoverWord::withdrawn, 0, "s", ""}}) {
    const auto frame = encode_handover(mac("02:00:00:00:00:01"), message);
    CHECK(frame.size() >= 60);
    CHECK(decode_handover(frame) == message);
  }
}

TEST_CASE("what is no message of a hand-over is none, wherever it is cut or changed") {
  const auto whole = encode_handover(mac("02:00:00:00:00:01"), question());
  const std::size_t used = 14 + 5 + 1 + 8 + 1 + 4 + 1 + 2;
  for (std::size_t size = 0; size < used; ++size) CHECK_FALSE(decode_handover(std::span(whole).first(size)));
  CHECK(decode_handover(std::span(whole).first(used)));
  for (std::size_t at = 12; at < 20; ++at) {
    auto changed = whole;
    changed[at] ^= 0x40U;
    CHECK_FALSE(decode_handover(changed));
  }
  auto nameless = whole;
  nameless[28] = 0;
  CHECK_FALSE(decode_handover(nameless));
  auto longer = whole;
  longer[28] = 250;
  CHECK_FALSE(decode_handover(longer));
}

TEST_CASE("two nodes of a LAN hear each other, and not themselves") {
  test::Lan lan;
  auto one = lan.plug();
  auto other = lan.plug();
  auto mine = must(HandoverChannel::open(one.ns, one.eth0.index));
  auto its = must(HandoverChannel::open(other.ns, other.eth0.index));
  REQUIRE(mine.send(question()) == 0);
  CHECK(heard(its) == question());
  const HandoverMessage answer{HandoverWord::withdrawn, 7, "svc1", "n1"};
  REQUIRE(its.send(answer) == 0);
  CHECK(heard(mine) == answer);  // and the request that it has sent is not there before
  CHECK_FALSE(its.read());
}

TEST_CASE("no other frame wakes who waits for a hand-over") {
  test::Lan lan;
  auto one = lan.plug();
  auto other = lan.plug();
  auto channel = must(HandoverChannel::open(one.ns, one.eth0.index));
  const auto mouth = must(PacketSocket::open(other.ns, other.eth0.index, 0));
  auto foreign = encode_handover(other.eth0.mac.value(), question());
  foreign[14] = 'X';  // somebody else's experiment
  REQUIRE(mouth.send(foreign) == 0);
  REQUIRE(mouth.send(encode_handover(other.eth0.mac.value(), question())) == 0);
  pollfd waiting{channel.fd(), POLLIN, 0};
  REQUIRE(::poll(&waiting, 1, 5000) == 1);
  CHECK(channel.read() == question());
  CHECK(::poll(&waiting, 1, 0) == 0);
}

}  // namespace
}  // namespace plumb::netns
