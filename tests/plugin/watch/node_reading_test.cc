// One reading of the node, for all who look at it because of the same thing.
#include "plugin/watch/node_reading.h"

#include <doctest/doctest.h>

namespace plumb::watch {
namespace {

using Clock = Time::clock;

// Counts how often the node is read.
struct Node {
  int readings = 0;
  bool fails = false;
  NodeReading reading{[this](bool /*all_routes*/) -> Result<ObservedNetns> {
    ++readings;
    if (fails) return Err{ErrorKind::failed, "no"};
    ObservedNetns out;
    out.inode = static_cast<std::uint64_t>(readings);
    return out;
  }};
};

TEST_CASE("who looks because of the same thing shares a reading") {
  Node node;
  const auto since = Clock::now();
  for (int i = 0; i < 3; ++i) CHECK(node.reading.get(false, since)->inode == 1);
  CHECK(node.readings == 1);
}

TEST_CASE("a reading is not for who waits for something later, nor after the node has changed") {
  Node node;
  const auto since = Clock::now();
  CHECK(node.reading.get(false, since)->inode == 1);
  CHECK(node.reading.get(false, Clock::now() + std::chrono::milliseconds{1})->inode == 2);
  node.reading.expire();
  CHECK(node.reading.get(false, since)->inode == 3);
  CHECK(node.reading.get(false, since)->inode == 3);
}

TEST_CASE("a reading without all routes is none with them, and one that failed is none") {
  Node node;
  const auto since = Clock::now();
  CHECK(node.reading.get(false, since)->inode == 1);
  CHECK(node.reading.get(true, since)->inode == 2);
  CHECK(node.reading.get(false, since)->inode == 1);
  node.reading.expire();
  node.fails = true;
  CHECK_FALSE(node.reading.get(false, since));
  node.fails = false;
  CHECK(node.reading.get(false, since)->inode == 4);
}

}  // namespace
}  // namespace plumb::watch
