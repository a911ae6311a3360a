// Values of the wire: IpAddress, Cidr, Mac, IfName. An object that exists is valid; only parse() can say no.
//
// Threads: plain values. Privilege: none.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "specs/value/result.h"

namespace plumb {

// An IPv4 or IPv6 address, without prefix or zone.
class IpAddress {
 public:
  // Dotted IPv4 (four decimal parts, as inet_pton(3)) or RFC 4291 section 2.2 IPv6 text.
  [[nodiscard]] static Result<IpAddress> parse(std::string_view text);
  // 4 or 16 bytes in network order; anything else is an error.
  [[nodiscard]] static Result<IpAddress> from_bytes(std::span<const std::uint8_t> bytes);
  [[nodiscard]] static IpAddress any_v4();  // 0.0.0.0
  [[nodiscard]] static IpAddress any_v6();  // ::

  [[nodiscard]] bool is_v6() const { return v6_; }
  [[nodiscard]] int family() const;  // AF_INET or AF_INET6
  [[nodiscard]] unsigned bits() const { return v6_ ? 128U : 32U; }
  [[nodiscard]] std::span<const std::uint8_t> bytes() const { return {bytes_.data(), v6_ ? 16U : 4U}; }
  [[nodiscard]] std::string to_string() const;  // RFC 5952 for IPv6
  [[nodiscard]] bool is_any() const;
  [[nodiscard]] bool is_loopback() const;
  [[nodiscard]] bool is_multicast() const;
  [[nodiscard]] bool is_link_local() const;  // 169.254/16, fe80::/10

  friend auto operator<=>(const IpAddress&, const IpAddress&) = default;

 private:
  IpAddress() = default;
  bool v6_ = false;
  std::array<std::uint8_t, 16> bytes_{};
};

// An address with the length of its network prefix, as "10.0.3.3/24".
class Cidr {
 public:
  [[nodiscard]] static Result<Cidr> make(IpAddress address, unsigned prefix);
  [[nodiscard]] static Result<Cidr> parse(std::string_view text);  // the prefix is required
  // A netmask as a length ("24"), dotted ("255.255.255.0", contiguous only) or, for IPv6, a length. Returns the length.
  [[nodiscard]] static Result<unsigned> parse_netmask(std::string_view text, bool v6);

  [[nodiscard]] const IpAddress& address() const { return address_; }
  [[nodiscard]] unsigned prefix() const { return prefix_; }
  [[nodiscard]] bool contains(const IpAddress& other) const;  // false across families
  [[nodiscard]] std::optional<IpAddress> broadcast() const;   // IPv4 with prefix < 31 only
  [[nodiscard]] std::string to_string() const;

  friend auto operator<=>(const Cidr&, const Cidr&) = default;

 private:
  Cidr(IpAddress address, unsigned prefix) : address_(address), prefix_(prefix) {}
  IpAddress address_;
  unsigned prefix_;
};

// A 48-bit Ethernet address, "02:42:0a:00:03:03".
class Mac {
 public:
  [[nodiscard]] static Result<Mac> parse(std::string_view text);
  [[nodiscard]] static Result<Mac> from_bytes(std::span<const std::uint8_t> bytes);  // exactly 6
  [[nodiscard]] std::span<const std::uint8_t, 6> bytes() const { return bytes_; }
  [[nodiscard]] std::string to_string() const;
  [[nodiscard]] bool is_multicast() const { return (bytes_[0] & 1U) != 0; }

  friend auto operator<=>(const Mac&, const Mac&) = default;

 private:
  Mac() = default;
  std::array<std::uint8_t, 6> bytes_{};
};

// A network device name that the kernel accepts: 1 to 15 bytes, no '/', ':' or white space, not "." or ".."
// (dev_valid_name, net/core/dev.c).
class IfName {
 public:
  [[nodiscard]] static Result<IfName> parse(std::string_view text);
  [[nodiscard]] const std::string& str() const { return name_; }
  [[nodiscard]] const char* c_str() const { return name_.c_str(); }

  friend auto operator<=>(const IfName&, const IfName&) = default;

 private:
  explicit IfName(std::string name) : name_(std::move(name)) {}
  std::string name_;
};

}  // namespace plumb
