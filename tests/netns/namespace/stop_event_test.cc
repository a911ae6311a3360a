#include "netns/namespace/stop_event.h"

#include <doctest/doctest.h>
#include <poll.h>

#include "tests/netns/lan.h"

namespace plumb::netns {
namespace {

using test::must;

bool readable(int fd) {
  pollfd entry{fd, POLLIN, 0};
  return ::poll(&entry, 1, 0) == 1;
}

TEST_CASE("a stop makes the descriptor readable, and it stays so") {
  std::stop_source source;
  const auto event = must(StopEvent::open(source.get_token()));
  CHECK_FALSE(readable(event.fd()));
  source.request_stop();
  CHECK(readable(event.fd()));
  CHECK(readable(event.fd()));
  CHECK(event.wait(-1, test::soon(), "wait for nothing").error().kind == ErrorKind::cancelled);
}

TEST_CASE("a stop that came before is seen, too") {
  std::stop_source source;
  source.request_stop();
  CHECK(readable(must(StopEvent::open(source.get_token())).fd()));
}

TEST_CASE("a token that can never be stopped costs no descriptor") { CHECK(must(StopEvent::open({})).fd() == -1); }

}  // namespace
}  // namespace plumb::netns
