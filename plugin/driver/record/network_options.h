// The options of `docker network create -d plumb -o NAME=VALUE`.
//
// They have the names and values of the keywords of [ip#N] where there is such a keyword. Threads: pure. Privilege:
// none.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "specs/service/service.h"
#include "specs/value/ip.h"
#include "specs/value/result.h"

namespace plumb::driver {

enum class MacPolicy {
  random,   // another one for each address
  from_ip,  // follows from the address: the same on every node and at every start
};

struct NetworkOptions {
  IpResource link;  // mode, ipdev (the option `parent`), vlan_tag, mtu, conflict, probe, announce, host_access
  MacPolicy mac = MacPolicy::random;
  std::vector<IpAddress> gateways;       // the option `gateway`: at most one of each family, wherever it is
  std::string interface_prefix = "eth";  // of the link's name in the container
};

// Errors: spec, that names the option: unknown (with the nearest known name), a value out of its range, or one that the
// mode has no use for; a missing parent. Labels of the engine itself (com.docker.network.*) are ignored, but for
// com.docker.network.driver.mtu and com.docker.network.container_iface_prefix.
[[nodiscard]] Result<NetworkOptions> parse_options(const std::map<std::string, std::string>& options);

}  // namespace plumb::driver
