#include "docker_client/info.h"

#include "docker_client/json.h"

namespace plumb::docker {

Result<Info> engine_info(Client& client, const Call& call) {
  const Request request{.path = "/info", .what = "ask for the engine's facts"};
  const Response response = TRY(client.send(request, call));
  return answered(decode_info(response.body), client.place(request.what));
}

Result<Version> engine_version(Client& client, const Call& call) {
  const Request request{.path = "/version", .what = "ask for the engine's version"};
  const Response response = TRY(client.send(request, call));
  return answered(decode_version(response.body), client.place(request.what));
}

Result<Info> decode_info(std::string_view text) {
  const Json json = TRY(parse_object(text, "read the engine's facts"));
  return Info{text_of(json, "ID"),
              text_of(json, "Name"),
              text_of(json, "DockerRootDir"),
              text_of(json, "ServerVersion"),
              text_of(json, "OperatingSystem"),
              text_of(json, "CgroupDriver")};
}

Result<Version> decode_version(std::string_view text) {
  const Json json = TRY(parse_object(text, "read the engine's version"));
  return Version{text_of(json, "Version"), text_of(json, "ApiVersion"), text_of(json, "MinAPIVersion"),
                 text_of(json, "KernelVersion")};
}

}  // namespace plumb::docker
