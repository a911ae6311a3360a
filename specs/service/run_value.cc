#include "specs/service/run_value.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <vector>

#include "specs/service/container_value.h"
#include "specs/value/host_name.h"
#include "specs/value/ip.h"
#include "specs/value/scalar.h"
#include "specs/value/text.h"

namespace plumb {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }

Err spec_error(std::string what, std::string next = {}) {
  return Err{ErrorKind::spec, std::move(what), std::move(next)};
}

char lower(char c) { return is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c; }

// The power of 1024 that a unit stands for: "", "b", "k", "kb", "kib", ... Nothing for another word.
std::optional<unsigned> unit_power(std::string_view unit) {
  static constexpr std::string_view kUnits = "kmgtp";
  if (unit.empty() || unit == "b") return 0U;
  const auto power = kUnits.find(unit.front());
  const auto tail = unit.substr(1);
  if (power == std::string_view::npos || !(tail.empty() || tail == "b" || tail == "ib")) return std::nullopt;
  return static_cast<unsigned>(power) + 1;
}

}  // namespace

Result<std::int64_t> parse_size(std::string_view text) {
  const auto end = text.find_first_not_of("0123456789.");
  const auto number = text.substr(0, end);
  std::string unit(end == std::string_view::npos ? std::string_view() : text.substr(end));
  std::transform(unit.begin(), unit.end(), unit.begin(), lower);
  double value = 0;
  const auto [stop, code] =
      std::from_chars(number.data(), number.data() + number.size(), value, std::chars_format::fixed);
  const auto power = unit_power(unit);
  const bool whole = code == std::errc{} && stop == number.data() + number.size() && !number.empty();
  if (!whole || !power) return spec_error(in_quotes(text) + " is not a size", "write it as 512m or 2g");
  for (unsigned i = 0; i < *power; ++i) value *= 1024;
  if (value >= 4e18) return spec_error(in_quotes(text) + " is more than any machine has");
  return static_cast<std::int64_t>(value);
}

Result<std::int64_t> parse_size_or_none(std::string_view text) {
  if (text == "-1") return std::int64_t{-1};
  return parse_size(text);
}

Result<std::int64_t> parse_cpus(std::string_view text) {
  const auto dot = text.find('.');
  std::string digits(text.substr(0, dot));
  std::string fraction(dot == std::string_view::npos ? std::string_view() : text.substr(dot + 1));
  const bool shape = digits.size() <= 6 && fraction.size() <= 9 && digits.size() + fraction.size() > 0;
  fraction.resize(9, '0');
  const std::string all = digits + fraction;
  std::int64_t value = 0;
  const auto [end, code] = std::from_chars(all.data(), all.data() + all.size(), value);
  if (!shape || code != std::errc{} || end != all.data() + all.size() || value < 0)
    return spec_error(in_quotes(text) + " is not a number of processors", "write it as 2 or 0.5");
  return value;
}

Result<std::int64_t> parse_signed(std::string_view text, std::int64_t least, std::int64_t most) {
  std::int64_t value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || code != std::errc{} || end != text.data() + text.size() || value < least || value > most)
    return spec_error(in_quotes(text) + " is not an integer" +
                      (most == std::numeric_limits<std::int64_t>::max()
                           ? " from " + std::to_string(least)
                           : " from " + std::to_string(least) + " to " + std::to_string(most)));
  return value;
}

Result<std::string> parse_cpu_list(std::string_view text) {
  if (!text.empty() && text.find_first_not_of("0123456789,-") == std::string_view::npos) return std::string(text);
  return spec_error(in_quotes(text) + " is not a list of processors", "write it as 0-3 or 0,2");
}

Result<std::string> parse_capability(std::string_view text) {
  std::string upper(text);
  for (char& c : upper)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  if (!text.empty() && std::all_of(upper.begin(), upper.end(), [](char c) { return is_upper(c) || c == '_'; }))
    return upper;
  return spec_error(in_quotes(text) + " is not a capability", "write it as NET_ADMIN, or ALL");
}

Result<UlimitOption> parse_ulimit(std::string_view text) {
  static constexpr std::array<std::string_view, 15> kNames = {"core",    "cpu",      "data",   "fsize",      "locks",
                                                              "memlock", "msgqueue", "nice",   "nofile",     "nproc",
                                                              "rss",     "rtprio",   "rttime", "sigpending", "stack"};
  const auto sign = text.find('=');
  const auto name = text.substr(0, sign);
  if (sign == std::string_view::npos || std::find(kNames.begin(), kNames.end(), name) == kNames.end())
    return spec_error(in_quotes(text) + " is not a limit of a process", "write it as nofile=1024:2048");
  const auto values = text.substr(sign + 1);
  const auto colon = values.find(':');
  constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
  const auto soft = TRY(parse_signed(values.substr(0, colon), -1, kMost));
  auto hard = soft;
  if (colon != std::string_view::npos) hard = TRY(parse_signed(values.substr(colon + 1), -1, kMost));
  if (hard != -1 && (soft == -1 || soft > hard))
    return spec_error(in_quotes(text) + ": the soft limit is above the hard one");
  return UlimitOption{std::string(name), soft, hard};
}

Result<std::string> parse_signal(std::string_view text) {
  const bool good = !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return is_digit(c) || is_upper(c) || c == '+' || c == '-';
  });
  if (good) return std::string(text);
  return spec_error(in_quotes(text) + " is not a signal", "write it as SIGQUIT or 3");
}

Result<std::string> parse_extra_host(std::string_view text) {
  const auto sign = text.find_first_of(":=");
  if (sign == std::string_view::npos)
    return spec_error(in_quotes(text) + " is not name:address", "write it as db:10.0.3.4");
  const auto name = TRY(HostName::parse(text.substr(0, sign)));
  auto address = text.substr(sign + 1);
  if (address.starts_with('[') && address.ends_with(']')) address = address.substr(1, address.size() - 2);
  const auto parsed = IpAddress::parse(address);
  if (!parsed) return spec_error(in_quotes(address) + " is not an IP address");
  return name.str() + ":" + parsed->to_string();
}

Result<std::string> parse_security_opt(std::string_view text) {
  const auto sign = text.find_first_of("=:");
  const auto name = text.substr(0, sign);
  const auto value = sign == std::string_view::npos ? std::string_view() : text.substr(sign + 1);
  if (name == "no-new-privileges") {
    if (sign == std::string_view::npos || value == "true" || value == "false") return std::string(text);
    return spec_error(in_quotes(value) + " is neither true nor false");
  }
  if ((name == "apparmor" || name == "label") && !value.empty()) return std::string(text);
  if (name == "seccomp") {
    if (value == "unconfined" || value == "builtin") return std::string(text);
    return spec_error(in_quotes(text) + ": plumb reads no seccomp profile",
                      "make it the engine's default: --seccomp-profile of dockerd, in docker_daemon_args");
  }
  return spec_error(in_quotes(text) + " is not an option that plumb knows",
                    "they are no-new-privileges, apparmor=PROFILE, label=..., seccomp=unconfined");
}

Result<std::string> parse_word(std::string_view text) {
  if (!text.empty() && text.find_first_of(" \t\n") == std::string_view::npos) return std::string(text);
  return spec_error(in_quotes(text) + " is not one word");
}

Result<std::pair<std::string, std::string>> parse_pair(std::string_view text) {
  const auto sign = text.find('=');
  if (sign != std::string_view::npos && sign > 0)
    return std::pair(std::string(text.substr(0, sign)), std::string(text.substr(sign + 1)));
  return spec_error(in_quotes(text) + " is not NAME=value");
}

Result<std::pair<std::string, std::string>> parse_tmpfs(std::string_view text) {
  const auto colon = text.find(':');
  auto target = TRY(parse_path(text.substr(0, colon)));
  if (target.find_first_not_of('/') == std::string::npos)
    return spec_error(in_quotes(text) + ": the target is the container's own root");
  return std::pair(std::move(target),
                   std::string(colon == std::string_view::npos ? std::string_view() : text.substr(colon + 1)));
}

namespace {

// The parts of --mount, as they are read.
struct Mount {
  std::string type = "volume";
  std::string source, target, propagation, tmpfs_options;
  bool read_only = false;
  bool nocopy = false;
};

Result<bool> truth(std::string_view value, bool given) {
  if (!given) return true;
  return parse_bool(value);
}

Result<void> take_part(Mount& out, std::string_view part) {
  const auto sign = part.find('=');
  const auto key = part.substr(0, sign);
  const bool given = sign != std::string_view::npos;
  const auto value = given ? part.substr(sign + 1) : std::string_view();
  const auto more = [&](const std::string& option) {
    out.tmpfs_options += (out.tmpfs_options.empty() ? "" : ",") + option;
  };
  if (key == "type") {
    out.type = value;
  } else if (key == "source" || key == "src") {
    out.source = value;
  } else if (key == "target" || key == "dst" || key == "destination") {
    out.target = value;
  } else if (key == "readonly" || key == "ro") {
    out.read_only = TRY(truth(value, given));
  } else if (key == "volume-nocopy") {
    out.nocopy = TRY(truth(value, given));
  } else if (key == "bind-propagation") {
    out.propagation = value;
  } else if (key == "tmpfs-size") {
    more("size=" + std::to_string(TRY(parse_size(value))));
  } else if (key == "tmpfs-mode") {
    more("mode=" + std::string(value));
  } else if (key != "consistency") {  // no effect on Linux
    return spec_error(in_quotes(part) + " is not a part that plumb can map", "use volume_mounts, or --volume");
  }
  return {};
}

}  // namespace

Result<MountValue> parse_mount(std::string_view text) {
  Mount mount;
  for (auto rest = text; !rest.empty();) {
    const auto comma = rest.find(',');
    TRY(take_part(mount, rest.substr(0, comma)));
    rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
  }
  MountValue out;
  if (mount.type == "tmpfs") {
    if (mount.read_only) mount.tmpfs_options += mount.tmpfs_options.empty() ? "ro" : ",ro";
    out.tmpfs = TRY(parse_tmpfs(mount.target + (mount.tmpfs_options.empty() ? "" : ":" + mount.tmpfs_options)));
    return out;
  }
  if (mount.type != "bind" && mount.type != "volume")
    return spec_error(in_quotes(text) + ": the type is none of bind, volume and tmpfs");
  if (mount.source.empty() || mount.target.empty())
    return spec_error(in_quotes(text) + " has no source or no target", "write source=... and target=...");
  if ((mount.type == "bind") != mount.source.starts_with('/'))
    return spec_error(in_quotes(mount.source) +
                      (mount.type == "bind" ? " is not an absolute path" : " is not a volume's name"));
  std::string options = mount.read_only ? "ro" : "";
  if (mount.nocopy) options += options.empty() ? "nocopy" : ",nocopy";
  if (!mount.propagation.empty()) options += (options.empty() ? "" : ",") + mount.propagation;
  out.mount = TRY(parse_volume_mount(mount.source + ":" + mount.target + (options.empty() ? "" : ":" + options)));
  out.mount->must_exist = mount.type == "bind";
  return out;
}

}  // namespace plumb
