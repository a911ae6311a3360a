// CarrierChange: what has become of a device's carrier, for all who have claims behind it.
//
// Threads: plain values. Privilege: none.
#pragma once

#include <cstdint>
#include <optional>

namespace plumb {

struct Carrier {
  bool there = false;
  std::uint32_t downs = 0;  // so often it was lost (IFLA_CARRIER_DOWN_COUNT)
  int index = 0;            // of the device
};

struct CarrierChange {
  bool fresh = false;     // nothing was known of it
  bool changed = false;   // it is there, or away, and was not
  bool returned = false;  // it is there, and was away
  bool flapped = false;   // it is there, as before, and was away between: the kernel sends no event of that
};

[[nodiscard]] constexpr CarrierChange carrier_change(const std::optional<Carrier>& before, const Carrier& now) {
  if (!before) return {true, false, false, false};
  return {false, before->there != now.there, !before->there && now.there,
          before->there && now.there && before->downs != now.downs};
}

}  // namespace plumb
