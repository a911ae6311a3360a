#include "plugin/node/boot.h"

#include <doctest/doctest.h>

using namespace plumb;

TEST_CASE("the kernel names its boot in one line") {
  const auto boot = boot_id();
  REQUIRE(boot);
  CHECK(boot->size() == 36);
  CHECK(*boot == boot_id().value());
}
