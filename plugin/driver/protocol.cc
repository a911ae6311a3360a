#include "plugin/driver/protocol.h"

#include <chrono>
#include <cstdio>
#include <optional>
#include <string>
#include <utility>

#include "docker_client/json.h"
#include "plugin/driver/ipam_driver.h"
#include "plugin/driver/network_methods.h"

namespace plumb::driver {

namespace {

using docker::Json;

constexpr const char* kContentType = "application/vnd.docker.plugins.v1.2+json";
constexpr std::string_view kNetworkPrefix = "/NetworkDriver.";
constexpr std::string_view kIpamPrefix = "/IpamDriver.";

// "what; next": docker shows one line.
std::string sentence(const Error& error) { return error.next.empty() ? error.what : error.what + "; " + error.next; }

HttpReply failure(unsigned status, const std::string& text) {
  return {status, docker::dump(Json{{"Err", text}, {"Error", text}}), kContentType};
}

}  // namespace

HttpOptions protocol_options(HttpHandler handler) { return {std::move(handler), "plumb driver: http: ", failure}; }

HttpReply Protocol::answer(const HttpRequest& request) {
  const auto begin = std::chrono::steady_clock::now();
  if (request.method != "POST") return failure(405, "only POST is understood here");
  Result<std::optional<std::string>> answered = std::optional<std::string>{};
  const std::string_view path = request.path;
  if (path == "/Plugin.Activate") {
    networks_.engine_started();
    answered = std::optional(docker::dump(Json{{"Implements", {"NetworkDriver", "IpamDriver"}}}));
  } else if (path.starts_with(kNetworkPrefix)) {
    answered = network_call(networks_, pools_, path.substr(kNetworkPrefix.size()), request.body);
  } else if (path.starts_with(kIpamPrefix)) {
    answered = IpamDriver(pools_).call(path.substr(kIpamPrefix.size()), request.body);
  }
  const std::string method = path.empty() ? std::string() : std::string(path.substr(1));
  const bool known = !answered || answered->has_value();
  metrics_.called(known ? method : "unknown", std::chrono::steady_clock::now() - begin, !answered || !known);
  if (!answered) {
    const auto text = sentence(answered.error());
    std::fprintf(stderr, "plumb driver: %s: %s\n", method.c_str(), text.c_str());
    return failure(answered.error().kind == ErrorKind::usage ? 400 : 200, text);
  }
  if (!known) return failure(404, method + ": there is no such method");
  return {200, **answered, kContentType};
}

}  // namespace plumb::driver
