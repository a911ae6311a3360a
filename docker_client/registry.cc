#include "docker_client/registry.h"

#include <algorithm>

#include "docker_client/base64.h"
#include "docker_client/json.h"
#include "docker_client/text_file.h"

namespace plumb::docker {

namespace {

constexpr std::string_view kDockerHub = "docker.io";
constexpr std::string_view kDockerHubKey = "https://index.docker.io/v1/";

Err bad_reference(std::string_view text, std::string_view why) {
  return Err{ErrorKind::spec, "read image reference \"" + std::string(text.substr(0, 300)) + "\": " + std::string(why)};
}

bool all_of(std::string_view text, std::string_view extra, bool upper) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (upper && c >= 'A' && c <= 'Z') ||
           extra.find(c) != std::string_view::npos;
  });
}

// distribution/reference: the part before the first slash is a registry when it looks like a host.
bool is_registry(std::string_view part) {
  return part.find_first_of(".:") != std::string_view::npos || part == "localhost" ||
         std::any_of(part.begin(), part.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

// A key of `auths` as a registry's name: without scheme and path.
std::string_view registry_of_key(std::string_view key) {
  if (key == kDockerHubKey || key == "index.docker.io") return kDockerHub;
  for (const std::string_view scheme : {"https://", "http://"}) {
    if (key.starts_with(scheme)) key.remove_prefix(scheme.size());
  }
  key = key.substr(0, key.find('/'));
  return key == "index.docker.io" ? kDockerHub : key;
}

Result<std::optional<Credentials>> decode_entry(const Json& entry, std::string_view key, const std::string& path) {
  Credentials credentials;
  credentials.username = text_of(entry, "username");
  credentials.password = text_of(entry, "password");
  credentials.identity_token = text_of(entry, "identitytoken");
  credentials.server = key;
  const std::string auth = text_of(entry, "auth");
  if (!auth.empty()) {
    const std::optional<std::string> pair = base64_decode(auth);
    const std::size_t colon = pair ? pair->find(':') : std::string::npos;
    if (colon == std::string::npos) {
      return Err{ErrorKind::spec, "read logins of " + path + ": \"auth\" of " + std::string(key) +
                                      " is not the base64 of user:password"};
    }
    credentials.username = pair->substr(0, colon);
    credentials.password = pair->substr(colon + 1);
  }
  if (credentials.username.empty() && credentials.identity_token.empty()) return std::optional<Credentials>();
  return std::optional<Credentials>(std::move(credentials));
}

}  // namespace

Result<ImageReference> parse_reference(std::string_view text) {
  ImageReference image;
  std::string_view rest = text;
  if (const std::size_t at = rest.find('@'); at != std::string_view::npos) {
    const std::string_view digest = rest.substr(at + 1);
    const std::size_t colon = digest.find(':');
    if (colon == std::string_view::npos || digest.size() - colon - 1 < 32 ||
        !all_of(digest.substr(colon + 1), "", true)) {
      return bad_reference(text, "what follows @ is not a digest such as sha256:...");
    }
    image.digest = digest;
    rest = rest.substr(0, at);
  }
  const std::size_t slash = rest.rfind('/');
  const std::size_t colon = rest.find(':', slash == std::string_view::npos ? 0 : slash);
  if (colon != std::string_view::npos) {
    const std::string_view tag = rest.substr(colon + 1);
    if (!all_of(tag, "_.-", true) || tag.size() > 128 || tag.front() == '.' || tag.front() == '-') {
      return bad_reference(text, "the tag is not 1 to 128 letters, digits, '_', '.' or '-'");
    }
    image.tag = tag;
    rest = rest.substr(0, colon);
  } else if (image.digest.empty()) {
    image.tag = "latest";
  }
  image.name = rest;
  const std::size_t first = rest.find('/');
  if (first != std::string_view::npos && is_registry(rest.substr(0, first))) {
    image.registry = registry_of_key(rest.substr(0, first));
    image.repository = rest.substr(first + 1);
  } else {
    image.registry = kDockerHub;
    image.repository = first == std::string_view::npos ? "library/" + std::string(rest) : std::string(rest);
  }
  if (rest.empty()) return bad_reference(text, "it names no image");
  if (!all_of(image.repository, "._-/", false) || image.repository.front() == '/' || image.repository.back() == '/' ||
      image.repository.find("//") != std::string::npos) {
    return bad_reference(text, "a repository is lower-case letters, digits, '.', '_', '-' and single '/'");
  }
  if (!all_of(image.registry, ".-:[]", true)) return bad_reference(text, "the registry is not a host name");
  return image;
}

Result<std::optional<Credentials>> decode_credentials(std::string_view text, std::string_view registry,
                                                      const std::string& path) {
  const Json json = Json::parse(text.begin(), text.end(), nullptr, false);
  if (!json.is_object()) {
    return Err{ErrorKind::spec, "read logins of " + path + ": it is not the JSON of a docker configuration"};
  }
  const Json& logins = member(json, "auths");
  if (logins.is_object()) {
    for (const auto& [key, entry] : logins.items()) {
      if (registry_of_key(key) != registry) continue;
      std::optional<Credentials> credentials = TRY(decode_entry(entry, key, path));
      if (credentials) return credentials;
    }
  }
  const std::map<std::string, std::string> helpers = pairs_of(json, "credHelpers");
  const auto asks = std::find_if(helpers.begin(), helpers.end(),
                                 [&](const auto& helper) { return registry_of_key(helper.first) == registry; });
  const std::string helper = asks == helpers.end() ? text_of(json, "credsStore") : asks->second;
  if (!helper.empty()) {
    return Err{ErrorKind::unsupported,
               "read logins of " + path + ": the login for " + std::string(registry) +
                   " is kept by docker-credential-" + helper + ", another program, and plumb runs none",
               "Give a configuration with the login under \"auths\"."};
  }
  return std::optional<Credentials>();
}

Result<std::optional<Credentials>> read_credentials(const std::string& path, std::string_view registry) {
  const std::string text = TRY(read_text_file(path, "read logins of " + path));
  return decode_credentials(text, registry, path);
}

std::string encode_credentials(const Credentials& credentials) {
  Json json = Json::object();
  if (!credentials.identity_token.empty()) {
    json["identitytoken"] = credentials.identity_token;
  } else {
    json["username"] = credentials.username;
    json["password"] = credentials.password;
  }
  json["serveraddress"] = credentials.server;
  return base64url_encode(dump(json));
}

}  // namespace plumb::docker
