// What the engine says of itself.
//
// Threads: as Client. Privilege: that of the Client. Facts: Engine API reference 1.40, GET /info and GET /version.
#pragma once

#include <string>
#include <string_view>

#include "docker_client/client.h"

namespace plumb::docker {

struct Info {
  std::string id;
  std::string name;  // the host's name
  std::string root_dir;
  std::string server_version;
  std::string operating_system;
  std::string cgroup_driver;
};
// Costs the engine some milliseconds: it counts its containers.
[[nodiscard]] Result<Info> engine_info(Client& client, const Call& call);

struct Version {
  std::string version;  // "20.10.24+dfsg1"
  std::string api_version;
  std::string min_api_version;
  std::string kernel_version;
};
[[nodiscard]] Result<Version> engine_version(Client& client, const Call& call);

// Pure. Errors: `failed` when it is not a JSON object.
[[nodiscard]] Result<Info> decode_info(std::string_view json);
[[nodiscard]] Result<Version> decode_version(std::string_view json);

}  // namespace plumb::docker
