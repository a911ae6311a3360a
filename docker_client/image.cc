#include "docker_client/image.h"

#include <algorithm>

#include "docker_client/json.h"
#include "docker_client/json_stream.h"
#include "docker_client/query.h"

namespace plumb::docker {

namespace {

bool says_any(std::string_view message, std::initializer_list<std::string_view> words) {
  return std::any_of(words.begin(), words.end(),
                     [&](std::string_view word) { return message.find(word) != std::string_view::npos; });
}

// The engine gives a registry's refusal as text only.
ErrorKind kind_of_pull(std::string_view message, ErrorKind otherwise) {
  if (says_any(message, {"unauthorized", "denied", "authentication required", "no basic auth credentials",
                         "authorization failed"})) {
    return ErrorKind::permission;
  }
  if (says_any(message, {"manifest unknown", "not found", "name unknown", "manifest for "}))
    return ErrorKind::not_found;
  if (says_any(message, {"connection refused", "no such host", "i/o timeout", "dial tcp", "network is unreachable",
                         "Client.Timeout", "TLS handshake timeout", "EOF", "connection reset"})) {
    return ErrorKind::unreachable;
  }
  return otherwise;
}

std::string advice(ErrorKind kind, const ImageReference& image) {
  switch (kind) {
    case ErrorKind::permission: return "Give a login for " + image.registry + ", or check the one that is given.";
    case ErrorKind::not_found: return "Check the image's name and tag at " + image.registry + ".";
    case ErrorKind::unreachable:
      return "Check that this node reaches " + image.registry + ", or load the image beforehand.";
    default: return {};
  }
}

// Feeds a stream of objects to `on_message`; an error that the stream reports ends it.
class MessageStream {
 public:
  MessageStream(std::string place, std::function<void(const StreamMessage&)> on_message)
      : place_(std::move(place)), on_message_(std::move(on_message)), splitter_(kObjectLimit, place_) {}

  Result<void> feed(std::string_view bytes) {
    return splitter_.feed(bytes, [this](std::string_view object) -> Result<void> {
      const StreamMessage message = TRY(answered(decode_stream_message(object), place_));
      if (!message.error.empty()) return Err{ErrorKind::refused, place_ + ": " + message.error};
      on_message_(message);
      return {};
    });
  }
  [[nodiscard]] Result<void> finish() const { return splitter_.finish(); }

 private:
  static constexpr std::size_t kObjectLimit = std::size_t{1} << 20U;
  std::string place_;
  std::function<void(const StreamMessage&)> on_message_;
  JsonSplitter splitter_;
};

// Sends a request whose answer is such a stream, and reads it to its end within one deadline.
Result<void> run_stream(Client& client, const Request& request,
                        const std::function<void(const StreamMessage&)>& on_message, const Call& call) {
  const Call::TimePoint end = call.end();
  MessageStream stream(client.place(request.what), on_message);
  Exchange exchange = TRY(client.begin(
      request, [&stream](std::string_view bytes) { return stream.feed(bytes); }, call));
  TRY(exchange.finish(call.until(end)));
  return stream.finish();
}

}  // namespace

Result<StreamMessage> decode_stream_message(std::string_view text) {
  const Json json = TRY(parse_object(text, "read the engine's stream"));
  StreamMessage message;
  const Json& detail = member(json, "progressDetail");
  message.progress = {text_of(json, "id"), text_of(json, "status"), number_of(detail, "current"),
                      number_of(detail, "total")};
  message.text = text_of(json, "stream");
  message.error = text_of(member(json, "errorDetail"), "message");
  if (message.error.empty()) message.error = text_of(json, "error");
  const bool reports = json.contains("error") || json.contains("errorDetail");
  if (message.error.empty() && reports) message.error = "the engine reports an error without a reason";
  return message;
}

Result<Image> decode_image(std::string_view text) {
  const Json json = TRY(parse_object(text, "read an image"));
  Image image{text_of(json, "Id"), texts_of(json, "RepoTags"), pairs_of(member(json, "Config"), "Labels")};
  if (image.id.empty()) return Err{ErrorKind::failed, "read an image: the engine's answer has no Id"};
  return image;
}

Result<std::optional<Image>> inspect_image(Client& client, const std::string& reference, const Call& call) {
  if (reference.empty()) return Err{ErrorKind::usage, "inspect image: its name is empty"};
  Request request{.path = "/images/" + percent_encode(reference) + "/json", .what = "inspect image " + reference};
  request.accept = {404};
  const Response response = TRY(client.send(request, call));
  if (response.status == 404) return std::optional<Image>();
  return std::optional<Image>(TRY(answered(decode_image(response.body), client.place(request.what))));
}

Result<std::vector<std::string>> load_image(Client& client, std::string_view archive, const Call& call) {
  if (archive.empty()) return Err{ErrorKind::usage, "load image: the archive is empty"};
  std::vector<std::string> names;
  std::string text;
  const Request request{
      .method = Method::post, .path = "/images/load?quiet=1", .what = "load image", .archive = archive};
  TRY(run_stream(
      client, request, [&text](const StreamMessage& message) { text += message.text; }, call));
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view line = std::string_view(text).substr(begin, end - begin);
    for (const std::string_view lead : {"Loaded image: ", "Loaded image ID: ", "Loaded image(s): "}) {
      if (line.starts_with(lead)) names.emplace_back(line.substr(lead.size()));
    }
    begin = end + 1;
  }
  return names;
}

Result<Image> pull_image(Client& client, std::string_view reference, const std::optional<Credentials>& credentials,
                         const OnProgress& on_progress, const Call& call) {
  const ImageReference image = TRY(parse_reference(reference));
  const Call::TimePoint end = call.end();
  Query query("/images/create");
  query.add("fromImage", image.name).add("tag", image.digest.empty() ? image.tag : image.digest);
  Request request{
      .method = Method::post, .path = std::move(query).str(), .what = "pull image " + std::string(reference)};
  if (credentials) request.headers.push_back("X-Registry-Auth: " + encode_credentials(*credentials));
  const auto on_message = [&](const StreamMessage& message) {
    if (on_progress && message.text.empty()) on_progress(message.progress);
  };
  Result<void> pulled = run_stream(client, request, on_message, call);
  if (!pulled) {
    Error error = std::move(pulled).error();
    if (error.kind == ErrorKind::refused || error.kind == ErrorKind::not_found || error.kind == ErrorKind::permission) {
      error.kind = kind_of_pull(error.what, error.kind);
      error.next = advice(error.kind, image);
    }
    return Err{std::move(error)};
  }
  // The end of the stream without an error is all that the engine says, so the image itself is asked for.
  const std::string pulled_name = image.name + (image.digest.empty() ? ":" + image.tag : "@" + image.digest);
  std::optional<Image> found = TRY(inspect_image(client, pulled_name, call.until(end)));
  if (!found) {
    return Err{ErrorKind::failed, client.place(request.what) +
                                      ": the engine's stream ended without an error, and yet the image is not there"};
  }
  return *std::move(found);
}

}  // namespace plumb::docker
