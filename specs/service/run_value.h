// The values that the flags of `docker run` take and no keyword of plumb has.
//
// Threads: pure functions. Privilege: none. Every error is ErrorKind::spec.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "specs/service/service.h"
#include "specs/value/result.h"

namespace plumb {

// Bytes: "1073741824", "512m", "1.5GiB" (docker/go-units, RAMInBytes: all units are powers of 1024).
[[nodiscard]] Result<std::int64_t> parse_size(std::string_view text);
// The same, or -1.
[[nodiscard]] Result<std::int64_t> parse_size_or_none(std::string_view text);
// Billionths of a processor, from "1.5".
[[nodiscard]] Result<std::int64_t> parse_cpus(std::string_view text);
// A decimal integer within [least, most].
[[nodiscard]] Result<std::int64_t> parse_signed(std::string_view text, std::int64_t least, std::int64_t most);
// "0-3,5".
[[nodiscard]] Result<std::string> parse_cpu_list(std::string_view text);
// "SYS_ADMIN", "CAP_NET_RAW" or "ALL".
[[nodiscard]] Result<std::string> parse_capability(std::string_view text);
// "nofile=1024:2048", "core=-1" (docker/go-units, ulimit.go).
[[nodiscard]] Result<UlimitOption> parse_ulimit(std::string_view text);
// "SIGQUIT", "QUIT" or a number.
[[nodiscard]] Result<std::string> parse_signal(std::string_view text);
// "name:address" and "name=address", as "name:address".
[[nodiscard]] Result<std::string> parse_extra_host(std::string_view text);
// Those that the engine takes as they are; a seccomp profile is a file that only the docker command would read.
[[nodiscard]] Result<std::string> parse_security_opt(std::string_view text);
// One word without white space.
[[nodiscard]] Result<std::string> parse_word(std::string_view text);
// NAME=value.
[[nodiscard]] Result<std::pair<std::string, std::string>> parse_pair(std::string_view text);
// "/target[:options]".
[[nodiscard]] Result<std::pair<std::string, std::string>> parse_tmpfs(std::string_view text);

// "type=bind,source=/a,target=/b,readonly", of the types bind, volume and tmpfs.
struct MountValue {
  std::optional<VolumeMount> mount;
  std::optional<std::pair<std::string, std::string>> tmpfs;
};
[[nodiscard]] Result<MountValue> parse_mount(std::string_view text);

}  // namespace plumb
