// The endpoint: which Unix socket the user's engine listens on, found the way the docker command finds it.
//
// Threads: pure but for reading files. Privilege: to read the user's docker configuration.
#pragma once

#include <string>
#include <string_view>

#include "specs/value/result.h"

namespace plumb::docker {

// What the choice depends on. An unset variable is an empty string.
struct Environment {
  std::string docker_host{};     // DOCKER_HOST
  std::string docker_context{};  // DOCKER_CONTEXT
  std::string docker_config{};   // DOCKER_CONFIG: the folder of config.json; default HOME/.docker
  std::string home{};            // HOME
  std::string docker_socket = "/var/run/docker.sock";
  std::string podman_socket = "/run/podman/podman.sock";

  // From the variables of this process.
  [[nodiscard]] static Environment of_process();
};

// The absolute path of the engine's socket, in the docker command's order: DOCKER_HOST, DOCKER_CONTEXT,
// `currentContext` of config.json (docs.docker.com/engine/manage-resources/contexts), the default socket; and then
// Podman's socket when only that one exists. Nothing is connected; when neither socket exists the answer is the default
// one, so that connecting says why. Errors: `unsupported` for tcp, ssh and other transports; `spec` for a value or file
// that cannot be read or a context without an endpoint; `not_found` for an unknown context.
[[nodiscard]] Result<std::string> engine_socket(const Environment& environment);

// The path of a `unix://` address. Errors: `unsupported` for other schemes, `spec` for a path that is empty, not
// absolute or too long for sockaddr_un (107 bytes). `source` names where the address comes from.
[[nodiscard]] Result<std::string> socket_of(std::string_view address, std::string_view source);

}  // namespace plumb::docker
