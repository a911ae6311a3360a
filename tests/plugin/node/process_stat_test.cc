#include "plugin/node/process_stat.h"

#include <doctest/doctest.h>
#include <sys/prctl.h>
#include <unistd.h>

using namespace plumb;

TEST_CASE("the start of a process is read behind a name that looks like more fields") {
  const auto before = start_ticks_of(::getpid());
  REQUIRE(before);
  CHECK(*before > 0);
  REQUIRE(::prctl(PR_SET_NAME, "a) S 1 (b 2") == 0);
  CHECK(start_ticks_of(::getpid()) == before);
}

TEST_CASE("a process that is not there has no start") { CHECK_FALSE(start_ticks_of(-1)); }
