#include "plugin/cluster/engine_view.h"

#include <filesystem>

#include "docker_client/container.h"
#include "docker_client/endpoint.h"
#include "plugin/engine/ownership.h"
#include "plugin/engine/private_engine.h"
#include "plugin/engine/service_engine.h"
#include "plugin/node/time_limit.h"

namespace plumb {

bool engine_was_here(const Service& service) {
  if (!service.docker_data_dir.empty()) return true;
  const auto socket = docker::engine_socket(docker::Environment::of_process());
  std::error_code ec;
  return !socket || std::filesystem::exists(*socket, ec);
}

std::string seen_running(const std::string& service, const std::string& engine, std::chrono::milliseconds patience) {
  Service unknown;
  unknown.name = service;
  unknown.docker_data_dir = "/";
  const auto own = PrivateEngine::of(unknown).state();
  if (!own) return own.error().what;
  if (*own != EngineState::down) return "its own engine runs, or was killed";
  unknown.docker_data_dir.clear();
  unknown.engine_socket = engine;
  const auto socket = ServiceEngine(unknown).socket();
  if (!socket) return {};
  const TimeLimit time(patience, {});
  const docker::Call call{patience, time.stop()};
  auto client = docker::Client::open(*socket, call);
  if (!client) return {};
  const auto listed = containers_of(*client, service, call);
  if (!listed) return {};
  for (const auto& c : *listed)
    if (c.running) return "container " + c.name + " of it runs";
  return {};
}

}  // namespace plumb
