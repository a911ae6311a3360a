// Values of a container's keywords, and of the flags of `docker run` that mean the same.
//
// Threads: pure functions. Privilege: none. Every error is ErrorKind::spec, as those of specs/value/scalar.h. No
// function throws.
#pragma once

#include <string>
#include <string_view>

#include "specs/service/service.h"
#include "specs/value/result.h"

namespace plumb {

// A container image: "nginx", "ghcr.io/opensvc/pause:3.9", "host:5000/a/b@sha256:...", or "sha256:<64 hex digits>" (the
// grammar of distribution/reference, reference/regexp.go).
[[nodiscard]] Result<std::string> parse_image(std::string_view text);

// A name the engine accepts for a container: [a-zA-Z0-9][a-zA-Z0-9_.-]+ (moby daemon/names/names.go).
[[nodiscard]] Result<std::string> parse_container_name(std::string_view text);
[[nodiscard]] bool is_container_name(std::string_view text);

// A host name that sethostname(2) takes: at most 64 bytes (HOST_NAME_MAX).
[[nodiscard]] Result<std::string> parse_own_host_name(std::string_view text);

// "user" or "user:group", by names or numbers.
[[nodiscard]] Result<std::string> parse_user(std::string_view text);

// The address of a name server.
[[nodiscard]] Result<std::string> parse_server(std::string_view text);

// A domain to search, or "." for none.
[[nodiscard]] Result<std::string> parse_search(std::string_view text);

// The name of a kernel parameter: "net.ipv4.ip_forward".
[[nodiscard]] bool is_kernel_parameter(std::string_view name);

// An absolute path without a NUL.
[[nodiscard]] Result<std::string> parse_path(std::string_view text);

// "/source:/target[:options]" or "volume:/target[:options]"; options as the engine takes them: ro, rw, z, Z, nocopy and
// the propagation modes, separated by commas (moby volume/mounts/linux_parser.go).
[[nodiscard]] Result<VolumeMount> parse_volume_mount(std::string_view text);

// "/dev/x[:/dev/y[:rwm]]".
[[nodiscard]] Result<std::string> parse_device_mapping(std::string_view text);

}  // namespace plumb
