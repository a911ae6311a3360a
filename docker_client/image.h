// Images: is it there, load it from memory, pull it.
//
// Threads: plain values; the functions may run in parallel on one Client. Privilege: that of the Client.
// Facts: Engine API reference 1.40 to 1.55, section Image.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "docker_client/client.h"
#include "docker_client/registry.h"

namespace plumb::docker {

struct Image {
  std::string id;  // sha256:...
  std::vector<std::string> tags;
  std::map<std::string, std::string> labels;  // that a container made from it inherits
};

// Nullopt: the engine does not have it.
[[nodiscard]] Result<std::optional<Image>> inspect_image(Client& client, const std::string& reference,
                                                         const Call& call);

// Loads an archive as `docker save` writes it, sent from memory without a copy; returns the names (or ids) that it
// brought. Errors: `refused`, also when the engine reports it inside its 200 answer.
[[nodiscard]] Result<std::vector<std::string>> load_image(Client& client, std::string_view archive, const Call& call);

// One line of a pull. `total` is 0 when unknown; both are bytes.
struct PullProgress {
  std::string layer;   // short id, or the tag for the line that opens the pull, or empty
  std::string status;  // "Pulling fs layer", "Downloading", "Pull complete", "Status: Downloaded newer image for ..."
  std::int64_t current = 0;
  std::int64_t total = 0;
};
using OnProgress = std::function<void(const PullProgress&)>;

// Pulls, and proves by an inspect that the image is there. A reference without tag and digest means `latest`.
// `on_progress` may be empty. The engine answers 200 when the pull starts; its errors come inside the stream and are
// given with its words. Errors: `not_found` (no such tag), `permission` (login refused), `unreachable` (no registry),
// `refused`, `spec` (bad reference).
[[nodiscard]] Result<Image> pull_image(Client& client, std::string_view reference,
                                       const std::optional<Credentials>& credentials, const OnProgress& on_progress,
                                       const Call& call);

// One object of a stream: progress, or the error that it reports. Pure. Errors: `failed` when it is not a JSON object.
struct StreamMessage {
  PullProgress progress;
  std::string text;   // `stream` of a load: "Loaded image: plumb/pause:1\n"
  std::string error;  // the engine's words; empty: no error
};
[[nodiscard]] Result<StreamMessage> decode_stream_message(std::string_view json);
// The body of GET /images/NAME/json. Pure. Errors: `failed`.
[[nodiscard]] Result<Image> decode_image(std::string_view json);

}  // namespace plumb::docker
