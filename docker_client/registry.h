// Registries: which one an image reference means, and the login for it from a docker config.json.
//
// Threads: pure but for reading the file. Privilege: to read the file.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "specs/value/result.h"

namespace plumb::docker {

// "nginx", "ghcr.io/opensvc/pause", "localhost:5000/a/b:1.2", "x@sha256:...", split as distribution/reference does.
struct ImageReference {
  std::string registry;    // "docker.io" when none is named
  std::string repository;  // "library/nginx" for "nginx"
  std::string name;        // what the user wrote, without tag and digest
  std::string tag;         // "latest" when there is neither tag nor digest
  std::string digest;      // "sha256:...", or empty; it wins over the tag
};
// Errors: `spec`, with what is wrong.
[[nodiscard]] Result<ImageReference> parse_reference(std::string_view text);

struct Credentials {
  std::string username;
  std::string password;
  std::string identity_token;  // instead of the two
  std::string server;
};

// The login for `registry` of the docker config.json at `path`; nullopt: it has none, pull anonymously.
// Errors: `not_found`, `permission` (the file), `spec` (not a docker configuration), `unsupported` (credsStore or
// credHelpers: they are other programs, and plumb runs none).
[[nodiscard]] Result<std::optional<Credentials>> read_credentials(const std::string& path, std::string_view registry);
// The same from the file's text. Pure. `path` is for the error sentences only.
[[nodiscard]] Result<std::optional<Credentials>> decode_credentials(std::string_view json, std::string_view registry,
                                                                    const std::string& path);

// The value of X-Registry-Auth: base64url (RFC 4648 section 5) with padding of the JSON that the engine expects. Pure.
[[nodiscard]] std::string encode_credentials(const Credentials& credentials);

}  // namespace plumb::docker
