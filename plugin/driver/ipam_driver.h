// IpamDriver: the engine's calls for address management (the remote IPAM protocol), as calls of the pools.
//
// Threads: safe from any. Privilege: that of the pools.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "plugin/driver/pools.h"
#include "specs/value/result.h"

namespace plumb::driver {

class IpamDriver {
 public:
  // The pools must outlive it.
  explicit IpamDriver(Pools& pools) : pools_(pools) {}

  // The answer to IpamDriver.METHOD, as JSON; nullopt: there is no such method. Errors: usage (a body that is missing,
  // which is what the engine sends when it repeats a call, or that is not what the protocol says), and those of the
  // pools.
  [[nodiscard]] Result<std::optional<std::string>> call(std::string_view method, const std::string& body);

 private:
  Pools& pools_;
};

}  // namespace plumb::driver
