// The frames of a hand-over: tables of bytes, no kernel.
#include "netns/wire/handover_message.h"

#include <doctest/doctest.h>

#include "tests/netns/lan.h"

namespace plumb::netns {
namespace {

using test::mac;

const HandoverMessage& question() {
  static const HandoverMessage kIts{HandoverWord::request, 0x0123456789abcdef, "svc1", "n2"};
  return kIts;
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

}  // namespace
}  // namespace plumb::netns
