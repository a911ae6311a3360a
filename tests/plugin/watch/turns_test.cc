// Whose turn it is to be looked after.
#include "plugin/watch/turns.h"

#include <doctest/doctest.h>

namespace plumb::watch {
namespace {

using Names = std::vector<std::string>;
constexpr std::chrono::steady_clock::time_point kNow{std::chrono::hours{1}};

TEST_CASE("each lane has its places, and one that is full holds up no other") {
  Turns turns(2);
  CHECK(turns.begin({{kNow, "a", "hung"}, {kNow, "b", "hung"}, {kNow, "c", "hung"}}) == Names{"a", "b"});
  CHECK(turns.begin({{kNow, "c", "hung"}, {kNow, "d", ""}}) == Names{"d"});
  // Fifty engines that hang, each with one service.
  for (int i = 0; i < 50; ++i) {
    const std::string engine = "engine" + std::to_string(i);
    CHECK(turns.begin({{kNow, engine, engine}}) == Names{engine});
  }
  CHECK(turns.begin({{kNow, "c", "hung"}, {kNow, "e", ""}}) == Names{"e"});
}

TEST_CASE("a place that is given back is the next one's of that lane, and of no other") {
  Turns turns(1);
  CHECK(turns.begin({{kNow, "a", "one"}, {kNow, "b", "two"}}) == Names{"a", "b"});
  turns.give_back("two");
  CHECK(turns.begin({{kNow, "c", "one"}}).empty());
  turns.give_back("one");
  CHECK(turns.begin({{kNow, "c", "one"}, {kNow, "d", "one"}}) == Names{"c"});
}

TEST_CASE("who has waited longest is first, whatever its name") {
  Turns turns(1);
  const auto later = kNow + std::chrono::milliseconds{1};
  CHECK(turns.begin({{later, "a", ""}, {kNow, "z", ""}}) == Names{"z"});
  turns.give_back("");
  CHECK(turns.begin({{later, "a", ""}}) == Names{"a"});
}

}  // namespace
}  // namespace plumb::watch
