#include "docker_client/endpoint.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <optional>

#include "docker_client/json.h"
#include "docker_client/text_file.h"

namespace plumb::docker {

namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): plumb never changes its environment
  return value == nullptr ? std::string() : std::string(value);
}

bool exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

// The endpoint of the context `name`, as `docker context` stores it: one meta.json in a folder named by a digest of the
// name, so they are all looked at.
Result<std::string> socket_of_context(const std::string& folder, const std::string& name, const std::string& source) {
  std::error_code error;
  std::filesystem::directory_iterator entries(folder + "/contexts/meta", error);
  for (; !error && entries != std::filesystem::directory_iterator(); entries.increment(error)) {
    const std::string path = entries->path().string() + "/meta.json";
    const Result<std::string> text = read_text_file(path, "read docker context " + path);
    if (!text) continue;
    const Result<Json> meta = parse_object(*text, "read docker context " + path);
    if (!meta || text_of(*meta, "Name") != name) continue;
    const std::string host = text_of(member(member(*meta, "Endpoints"), "docker"), "Host");
    if (host.empty()) {
      return Err{ErrorKind::spec, "find the engine: context \"" + name + "\" (" + path + ") has no docker endpoint"};
    }
    return socket_of(host, "context \"" + name + "\" (" + source + ")");
  }
  return Err{ErrorKind::not_found, "find the engine: there is no docker context \"" + name + "\" (" + source + ")",
             "List them with: docker context ls"};
}

// `currentContext` of config.json; nullopt without one.
Result<std::optional<std::string>> current_context(const std::string& folder) {
  const std::string path = folder + "/config.json";
  if (folder.empty() || !exists(path)) return std::optional<std::string>();
  const std::string text = TRY(read_text_file(path, "read docker configuration " + path));
  const Json json = Json::parse(text.begin(), text.end(), nullptr, false);
  if (!json.is_object()) {
    return Err{ErrorKind::spec, "read docker configuration " + path + ": it is not a JSON object",
               "Repair it, or name the engine's socket in DOCKER_HOST."};
  }
  std::string name = text_of(json, "currentContext");
  if (name.empty()) return std::optional<std::string>();
  return std::optional<std::string>(std::move(name));
}

}  // namespace

Environment Environment::of_process() {
  Environment environment;
  environment.docker_host = variable("DOCKER_HOST");
  environment.docker_context = variable("DOCKER_CONTEXT");
  environment.docker_config = variable("DOCKER_CONFIG");
  environment.home = variable("HOME");
  return environment;
}

Result<std::string> socket_of(std::string_view address, std::string_view source) {
  constexpr std::string_view kScheme = "unix://";
  const std::string place = "find the engine: " + std::string(source) + " is \"" + std::string(address) + "\"";
  if (!address.starts_with(kScheme)) {
    if (address.find("://") == std::string_view::npos) {
      return Err{ErrorKind::spec, place + ", which is not an address such as unix:///var/run/docker.sock"};
    }
    return Err{ErrorKind::unsupported,
               place + ", and plumb needs the engine of this machine: only unix:// is supported",
               "Unset it, or name the engine's socket with unix://."};
  }
  const std::string_view path = address.substr(kScheme.size());
  if (path.empty() || path.front() != '/') return Err{ErrorKind::spec, place + ", and that is not an absolute path"};
  if (path.size() > kSocketPathLimit) {
    return Err{ErrorKind::spec,
               place + ", and a socket's path has at most " + std::to_string(kSocketPathLimit) + " bytes"};
  }
  return std::string(path);
}

Result<std::string> engine_socket(const Environment& environment) {
  if (!environment.docker_host.empty()) return socket_of(environment.docker_host, "DOCKER_HOST");
  std::string folder = environment.docker_config;
  if (folder.empty() && !environment.home.empty()) folder = environment.home + "/.docker";
  std::string name = environment.docker_context;
  std::string source = "DOCKER_CONTEXT";
  if (name.empty()) {
    name = TRY(current_context(folder)).value_or("");
    source = "currentContext of " + folder + "/config.json";
  }
  if (!name.empty() && name != "default") return socket_of_context(folder, name, source);
  const bool podman_only = !exists(environment.docker_socket) && exists(environment.podman_socket);
  return podman_only ? environment.podman_socket : environment.docker_socket;
}

}  // namespace plumb::docker
