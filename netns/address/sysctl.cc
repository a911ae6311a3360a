#include "netns/address/sysctl.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <string>
#include <string_view>

#include "netns/namespace/enter.h"
#include "specs/value/unique_fd.h"

namespace plumb::netns {

namespace {

struct Place {
  std::string_view family;
  std::string_view name;
};

Place place_of(Sysctl key) {
  switch (key) {
    case Sysctl::accept_ra: return {"ipv6", "accept_ra"};
    case Sysctl::autoconf: return {"ipv6", "autoconf"};
    case Sysctl::disable_ipv6: return {"ipv6", "disable_ipv6"};
    case Sysctl::accept_dad: return {"ipv6", "accept_dad"};
    case Sysctl::dad_transmits: return {"ipv6", "dad_transmits"};
    case Sysctl::ndisc_notify: return {"ipv6", "ndisc_notify"};
    case Sysctl::keep_addr_on_down: return {"ipv6", "keep_addr_on_down"};
    case Sysctl::arp_notify: return {"ipv4", "arp_notify"};
    case Sysctl::arp_ignore: return {"ipv4", "arp_ignore"};
    case Sysctl::arp_announce: return {"ipv4", "arp_announce"};
    case Sysctl::arp_filter: return {"ipv4", "arp_filter"};
    case Sysctl::rp_filter: return {"ipv4", "rp_filter"};
    case Sysctl::promote_secondaries: return {"ipv4", "promote_secondaries"};
  }
  return {};
}

std::string path_of(const IfName& device, Sysctl key) {
  const Place place = place_of(key);
  std::string path = "/proc/sys/net/";
  path.append(place.family).append("/conf/").append(device.str()).append("/").append(place.name);
  return path;
}

Err failure(int err, std::string_view verb, const std::string& path) {
  Error error = errno_error(err, std::string(verb) + " " + path);
  if (err == ENOENT) error.next = "The device, or IPv6 in this kernel, is missing";
  if (err == EROFS) error.next = "/proc/sys is read-only here: run on the node itself, not inside a container";
  return Err{std::move(error)};
}

Result<void> write_one(const std::string& path, int value) {
  const UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!fd) return failure(errno, "open", path);
  const std::string text = std::to_string(value);
  if (::write(fd.get(), text.data(), text.size()) < 0) return failure(errno, "write " + text + " to", path);
  return {};
}

}  // namespace

Result<void> write_sysctls(const Namespace& ns, const IfName& device, std::span<const SysctlValue> values) {
  return run_in(ns, [&]() -> Result<void> {
    for (const auto& [key, value] : values) TRY(write_one(path_of(device, key), value));
    return {};
  });
}

Result<int> read_sysctl(const Namespace& ns, const IfName& device, Sysctl key) {
  return run_in(ns, [&]() -> Result<int> {
    const std::string path = path_of(device, key);
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd) return failure(errno, "open", path);
    std::array<char, 32> buffer{};
    const ssize_t size = ::read(fd.get(), buffer.data(), buffer.size());
    if (size < 0) return failure(errno, "read", path);
    int value = 0;
    if (std::from_chars(buffer.data(), buffer.data() + size, value).ec != std::errc{})
      return Err{ErrorKind::failed, "read " + path + ": it holds no number"};
    return value;
  });
}

}  // namespace plumb::netns
