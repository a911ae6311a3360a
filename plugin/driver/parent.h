// The parent of a network: whether the node has it, and what its mode can do with it.
//
// Threads: safe from any. Privilege: CAP_NET_ADMIN.
#pragma once

#include <string>

#include "specs/service/service.h"
#include "specs/value/ip.h"
#include "specs/value/result.h"

namespace plumb::driver {

// What `mode` stands for on this node now: automatic becomes bridge or macvlan. Errors: not_found (no parent), refused
// (a device that the mode cannot use), unsupported (the kernel does not know the mode). All name the option.
[[nodiscard]] Result<IpMode> check_parent(const IpResource& link);

// That whoever has an address there could be heard: the device is up, and has a carrier unless check_carrier is off.
// Errors: refused.
[[nodiscard]] Result<void> check_audible(const IpResource& link, IpMode mode);

// The device of the node itself that has the address; empty: none has. A probe does not tell: a node hears its own
// answers on no link of its own.
[[nodiscard]] Result<std::string> device_with(const IpAddress& address);

}  // namespace plumb::driver
