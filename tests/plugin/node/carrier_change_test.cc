#include <doctest/doctest.h>

#include "plugin/node/carrier_change.h"

using plumb::Carrier;
using plumb::carrier_change;

TEST_CASE("a carrier is new, lost, back, or was away for a moment that only its counter shows") {
  CHECK(carrier_change({}, Carrier{true, 4}).fresh);
  const auto lost = carrier_change(Carrier{true, 4}, Carrier{false, 5});
  CHECK(lost.changed);
  CHECK_FALSE(lost.returned);
  CHECK_FALSE(lost.flapped);
  const auto back = carrier_change(Carrier{false, 5}, Carrier{true, 5});
  CHECK(back.changed);
  CHECK(back.returned);
  CHECK_FALSE(back.flapped);
  const auto flapped = carrier_change(Carrier{true, 5}, Carrier{true, 6});
  CHECK(flapped.flapped);
  CHECK_FALSE(flapped.changed);
  const auto nothing = carrier_change(Carrier{true, 6}, Carrier{true, 6});
  CHECK_FALSE(nothing.fresh);
  CHECK_FALSE(nothing.changed);
  CHECK_FALSE(nothing.flapped);
}
