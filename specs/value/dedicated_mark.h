// DedicatedMark: what a device of the node, moved into a container, carries along so that it finds its way back.
//
// It is the alias of the device (IFLA_IFALIAS), which the kernel keeps when the device changes its namespace or its
// name, also when it falls back to the node because its namespace died. Threads: plain values. Privilege: none.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "specs/value/ip.h"

namespace plumb {

struct DedicatedMark {
  std::string device;      // its name on the node
  std::optional<Mac> mac;  // its hardware address there
  unsigned mtu = 0;        // bytes; 0: unknown
  bool up = false;         // whether it was up there

  // "plumb dedicated eth1 mac=02:00:0a:00:03:03 mtu=1500 up": at most 255 bytes, as an alias.
  [[nodiscard]] std::string to_string() const;
  // Nullopt for an alias that is something else.
  [[nodiscard]] static std::optional<DedicatedMark> parse(std::string_view alias);
};

}  // namespace plumb
