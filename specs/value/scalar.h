// Value: the text of one keyword as a typed value.
//
// Threads: pure functions. Privilege: none. Every error is ErrorKind::spec; `what` is a sentence that quotes the text
// and `next` says how to write it right, where that is known. No function throws.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "specs/service/service.h"
#include "specs/value/result.h"

namespace plumb {

// true/false, yes/no, on/off, 1/0, t/f, y/n, in any case: what the two generations of OpenSVC accept together (om3:
// Go's strconv.ParseBool; agent 2.1: its own list).
[[nodiscard]] Result<bool> parse_bool(std::string_view text);

// A decimal integer within [least, most], without a sign.
[[nodiscard]] Result<unsigned> parse_integer(std::string_view text, unsigned least, unsigned most);

// A duration: numbers with units, added up: "1h30m", "500ms", "1.5s", "2d". Units ms, s, m, h, d, w. A bare integer
// counts seconds. At most ten years; finer than a millisecond is an error, never rounded.
[[nodiscard]] Result<std::chrono::milliseconds> parse_duration(std::string_view text);

// One word of a list and where it begins in the text.
struct Word {
  std::string text;
  std::size_t offset = 0;
};

// Words split as a POSIX shell splits them (XCU 2.2): white space separates, '...' keeps everything, "..." keeps
// everything but \" \\ \$ \` and \newline, a backslash outside quotes keeps the next byte. Nothing is expanded.
// `unterminated` is the offset of a quote without its partner or of a backslash at the end; the words are then not to
// be used.
struct Words {
  std::vector<Word> words;
  std::optional<std::size_t> unterminated;
};
[[nodiscard]] Words split_words(std::string_view text);

// A host name or node name: RFC 1123 section 2.1 labels (letters, digits, inner hyphens; underscores too, as many sites
// use them in node names), at most 253 bytes, and a last label that is not all digits, so that a mistyped address is
// not one.
[[nodiscard]] Result<std::string> parse_host_name(std::string_view text);

// A container image: "nginx", "ghcr.io/opensvc/pause:3.9", "host:5000/a/b@sha256:...", or "sha256:<64 hex digits>" (the
// grammar of distribution/reference, reference/regexp.go).
[[nodiscard]] Result<std::string> parse_image(std::string_view text);

// A name the engine accepts for a container: [a-zA-Z0-9][a-zA-Z0-9_.-]+ (moby daemon/names/names.go).
[[nodiscard]] Result<std::string> parse_container_name(std::string_view text);

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
