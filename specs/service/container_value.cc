#include "specs/service/container_value.h"

#include <algorithm>
#include <array>
#include <utility>

#include "specs/value/host_name.h"
#include "specs/value/scalar.h"
#include "specs/value/text.h"

namespace plumb {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_alnum(char c) { return is_digit(c) || is_lower(c) || (c >= 'A' && c <= 'Z'); }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); }

template <typename Test>
bool all(std::string_view text, Test test) {
  return std::all_of(text.begin(), text.end(), test);
}

Err spec_error(std::string what, std::string next = {}) {
  return Err{ErrorKind::spec, std::move(what), std::move(next)};
}

// "host", "host.domain", "host:5000" or "[::1]:5000": the first component of an image reference that names a registry.
bool is_registry(std::string_view text) {
  const auto colon = text.find(':');
  const auto host = text.substr(0, colon);
  const auto labels = split_at(host, '.');
  if (!std::all_of(labels.begin(), labels.end(), is_host_label)) return false;
  if (colon == std::string_view::npos) return true;
  return parse_integer(text.substr(colon + 1), 1, 65535).has_value();
}

// [a-z0-9]+ joined by one of '.', '_', '__' or any number of '-'.
bool is_repository_part(std::string_view part) {
  if (part.empty() || !is_alnum(part.front()) || !is_alnum(part.back())) return false;
  for (std::size_t i = 0; i < part.size(); ++i) {
    const char c = part[i];
    if (!is_lower(c) && !is_digit(c) && c != '.' && c != '_' && c != '-') return false;
    if (i == 0 || is_alnum(c) || is_alnum(part[i - 1]) || (c == '-' && part[i - 1] == '-')) continue;
    if (c == '_' && part[i - 1] == '_' && is_alnum(part[i - 2])) continue;
    return false;
  }
  return true;
}

bool is_tag(std::string_view tag) {
  return !tag.empty() && tag.size() <= 128 && (is_alnum(tag.front()) || tag.front() == '_') &&
         all(tag, [](char c) { return is_alnum(c) || c == '_' || c == '.' || c == '-'; });
}

bool is_digest(std::string_view digest) {
  static constexpr std::string_view kSha256 = "sha256:";
  return digest.starts_with(kSha256) && digest.size() == kSha256.size() + 64 &&
         all(digest.substr(kSha256.size()), is_hex);
}

}  // namespace

Result<std::string> parse_image(std::string_view text) {
  const auto refuse = [&](const std::string& why, std::string next = {}) {
    return spec_error(in_quotes(text) + ": " + why, std::move(next));
  };
  if (is_digest(text)) return std::string(text);
  std::string_view name = text;
  if (const auto at = name.find('@'); at != std::string_view::npos) {
    if (!is_digest(name.substr(at + 1))) return refuse("what follows the @ is not sha256: and 64 hexadecimal digits");
    name = name.substr(0, at);
  }
  if (name.find("://") != std::string_view::npos)
    return refuse("an image is named without a scheme", "drop " + in_quotes(name.substr(0, name.find("://") + 3)));
  const auto slash = name.rfind('/');
  const auto last = slash == std::string_view::npos ? 0 : slash + 1;
  if (const auto colon = name.find(':', last); colon != std::string_view::npos) {
    if (!is_tag(name.substr(colon + 1))) return refuse(in_quotes(name.substr(colon + 1)) + " is not a tag");
    name = name.substr(0, colon);
  }
  auto parts = split_at(name, '/');
  const auto first = parts.front();
  const bool registry =
      parts.size() > 1 && (first.find_first_of(".:") != std::string_view::npos || first == "localhost");
  if (registry && !is_registry(first)) return refuse(in_quotes(first) + " is not a registry's host[:port]");
  if (registry) parts.erase(parts.begin());
  for (const auto part : parts) {
    if (is_repository_part(part)) continue;
    if (!all(part, [](char c) { return !(c >= 'A' && c <= 'Z'); }))
      return refuse("a repository name is lower case", "write " + in_quotes([&] {
                                                         std::string lower(text);
                                                         for (char& c : lower)
                                                           if (c >= 'A' && c <= 'Z')
                                                             c = static_cast<char>(c - 'A' + 'a');
                                                         return lower;
                                                       }()));
    return refuse(part.empty() ? "a part of the name is empty" : in_quotes(part) + " is not a repository name");
  }
  if (name.size() > 255) return refuse("the name has more than 255 bytes");
  return std::string(text);
}

bool is_container_name(std::string_view text) {
  return text.size() >= 2 && text.size() <= 255 && is_alnum(text.front()) &&
         all(text, [](char c) { return is_alnum(c) || c == '_' || c == '.' || c == '-'; });
}

Result<std::string> parse_container_name(std::string_view text) {
  if (is_container_name(text)) return std::string(text);
  return spec_error(in_quotes(text) + " is not a container name",
                    "two or more of a-z A-Z 0-9 _ . -, the first a letter or digit");
}

Result<std::string> parse_own_host_name(std::string_view text) {
  // sethostname(2): HOST_NAME_MAX.
  if (text.size() > 64) return spec_error(in_quotes(text) + " has more than the 64 bytes of a host name");
  if (!HostName::parse(text)) return spec_error(in_quotes(text) + " is not a host name");
  return std::string(text);
}

Result<std::string> parse_user(std::string_view text) {
  const bool good = text.find_first_of(" \t\n") == std::string_view::npos &&
                    std::count(text.begin(), text.end(), ':') < 2 && !text.starts_with(':');
  if (good) return std::string(text);
  return spec_error(in_quotes(text) + " is not a user or user:group");
}

Result<std::string> parse_server(std::string_view text) {
  const auto address = IpAddress::parse(text);
  if (!address)
    return spec_error(in_quotes(text) + " is not an IP address", "name servers are given by their addresses");
  return address->to_string();
}

Result<std::string> parse_search(std::string_view text) {
  if (text == ".") return std::string(text);
  return TRY(HostName::parse(text)).str();
}

bool is_kernel_parameter(std::string_view name) {
  return name.find('.') != std::string_view::npos &&
         all(name, [](char c) { return is_alnum(c) || c == '.' || c == '_' || c == '-' || c == '/'; });
}

Result<std::string> parse_path(std::string_view text) {
  if (text.starts_with('/') && text.size() < 4096) return std::string(text);
  return spec_error(in_quotes(text) + " is not an absolute path", "begin it with a /");
}

Result<VolumeMount> parse_volume_mount(std::string_view text) {
  const auto refuse = [&](const std::string& why, std::string next = {}) {
    return spec_error(in_quotes(text) + ": " + why, std::move(next));
  };
  const auto parts = split_at(text, ':');
  if (parts.size() < 2 || parts.size() > 3)
    return refuse("not source:target or source:target:options", "write it as /host/dir:/container/dir:ro");
  VolumeMount mount{std::string(parts[0]), std::string(parts[1]), false, {}};
  const bool volume = parse_container_name(mount.source).has_value();
  if (!mount.source.starts_with('/') && !volume)
    return refuse("the source " + in_quotes(mount.source) + " is neither an absolute path nor a volume name");
  if (!mount.target.starts_with('/'))
    return refuse("the target " + in_quotes(mount.target) + " is not an absolute path");
  if (all(mount.target, [](char c) { return c == '/'; })) return refuse("the target is the container's own root");
  if (parts.size() == 2) return mount;
  static constexpr std::array<std::string_view, 14> kOptions = {
      "ro",     "rw",      "z",     "Z",      "nocopy", "private",    "rprivate",
      "shared", "rshared", "slave", "rslave", "cached", "consistent", "delegated"};
  mount.options = parts[2];
  bool read_write = false;
  for (const auto option : split_at(parts[2], ',')) {
    if (std::find(kOptions.begin(), kOptions.end(), option) == kOptions.end())
      return refuse("unknown option " + in_quotes(option), "most mounts need only ro or rw");
    mount.read_only = mount.read_only || option == "ro";
    read_write = read_write || option == "rw";
  }
  if (mount.read_only && read_write) return refuse("both ro and rw");
  return mount;
}

Result<std::string> parse_device_mapping(std::string_view text) {
  const auto parts = split_at(text, ':');
  const auto refuse = [&](const std::string& why) {
    return spec_error(in_quotes(text) + ": " + why, "write it as /dev/on-host[:/dev/in-container[:rwm]]");
  };
  if (parts.size() > 3) return refuse("more than three parts");
  if (!parts[0].starts_with('/')) return refuse("the device on the host is not an absolute path");
  // The engine takes "/dev/x:rwm" too, with the same path inside.
  const auto is_access = [](std::string_view part) {
    return !part.empty() && part.find_first_not_of("rwm") == std::string_view::npos;
  };
  if (parts.size() == 2 && !parts[1].starts_with('/') && !is_access(parts[1]))
    return refuse("the device in the container is not an absolute path");
  if (parts.size() == 3 && !parts[1].starts_with('/'))
    return refuse("the device in the container is not an absolute path");
  if (parts.size() == 3 && !is_access(parts[2])) return refuse(in_quotes(parts[2]) + " is not made of r, w and m");
  return std::string(text);
}

}  // namespace plumb
