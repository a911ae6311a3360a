#include "specs/value/ip.h"
#include "specs/value/text.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <cstdio>

namespace plumb {

namespace {

std::optional<unsigned> parse_number(std::string_view text, unsigned max) {
  unsigned value = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (ec != std::errc{} || end != text.data() + text.size() || text.empty() || value > max) return std::nullopt;
  return value;
}

}  // namespace

Result<IpAddress> IpAddress::parse(std::string_view text) {
  const std::string copy(text);  // inet_pton needs a terminator
  IpAddress out;
  if (copy.find('\0') == std::string::npos) {
    if (inet_pton(AF_INET, copy.c_str(), out.bytes_.data()) == 1) return out;
    if (inet_pton(AF_INET6, copy.c_str(), out.bytes_.data()) == 1) {
      out.v6_ = true;
      return out;
    }
  }
  return Err{ErrorKind::spec, in_quotes(text) + " is not an IP address"};
}

Result<IpAddress> IpAddress::from_bytes(std::span<const std::uint8_t> bytes) {
  if (bytes.size() != 4 && bytes.size() != 16)
    return Err{ErrorKind::failed, "an IP address has 4 or 16 bytes, not " + std::to_string(bytes.size())};
  IpAddress out;
  out.v6_ = bytes.size() == 16;
  std::copy(bytes.begin(), bytes.end(), out.bytes_.begin());
  return out;
}

IpAddress IpAddress::any_v4() { return {}; }

IpAddress IpAddress::any_v6() {
  IpAddress out;
  out.v6_ = true;
  return out;
}

int IpAddress::family() const { return v6_ ? AF_INET6 : AF_INET; }

std::string IpAddress::to_string() const {
  std::array<char, INET6_ADDRSTRLEN> buffer{};
  return inet_ntop(family(), bytes_.data(), buffer.data(), buffer.size());
}

bool IpAddress::is_any() const {
  return std::all_of(bytes_.begin(), bytes_.end(), [](std::uint8_t b) { return b == 0; });
}

bool IpAddress::is_loopback() const {
  if (!v6_) return bytes_[0] == 127;
  return bytes_[15] == 1 && std::all_of(bytes_.begin(), bytes_.end() - 1, [](std::uint8_t b) { return b == 0; });
}

bool IpAddress::is_multicast() const { return v6_ ? bytes_[0] == 0xff : (bytes_[0] & 0xf0U) == 0xe0; }

bool IpAddress::is_link_local() const {
  return v6_ ? bytes_[0] == 0xfe && (bytes_[1] & 0xc0U) == 0x80 : bytes_[0] == 169 && bytes_[1] == 254;
}

Result<Cidr> Cidr::make(IpAddress address, unsigned prefix) {
  if (prefix > address.bits())
    return Err{ErrorKind::spec, "a prefix length of " + std::to_string(prefix) + " is too long for " +
                                    address.to_string() + " (at most " + std::to_string(address.bits()) + ")"};
  return Cidr(address, prefix);
}

Result<Cidr> Cidr::parse(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return Err{ErrorKind::spec, in_quotes(text) + " has no /prefix"};
  const IpAddress address = TRY(IpAddress::parse(text.substr(0, slash)));
  const auto prefix = parse_number(text.substr(slash + 1), address.bits());
  if (!prefix) return Err{ErrorKind::spec, in_quotes(text.substr(slash + 1)) + " is not a prefix length"};
  return make(address, *prefix);
}

Result<unsigned> Cidr::parse_netmask(std::string_view text, bool v6) {
  if (const auto length = parse_number(text, v6 ? 128 : 32)) return *length;
  if (!v6) {
    if (const auto mask = IpAddress::parse(text); mask && !mask->is_v6()) {
      std::uint32_t value = 0;
      for (const auto byte : mask->bytes()) value = (value << 8U) | byte;
      const std::uint32_t holes = ~value;
      if ((holes & (holes + 1U)) == 0) return static_cast<unsigned>(__builtin_popcount(value));
      return Err{ErrorKind::spec, "netmask " + in_quotes(text) + " is not contiguous"};
    }
  }
  return Err{ErrorKind::spec,
             in_quotes(text) + (v6 ? " is not a prefix length from 0 to 128"
                                   : " is not a netmask: expected a length from 0 to 32, or dotted as 255.255.255.0")};
}

bool Cidr::contains(const IpAddress& other) const {
  if (other.is_v6() != address_.is_v6()) return false;
  for (unsigned bit = 0; bit < prefix_; bit += 8) {
    const unsigned take = std::min(8U, prefix_ - bit);
    const auto mask = static_cast<std::uint8_t>(0xff00U >> take);
    if (((address_.bytes()[bit / 8] ^ other.bytes()[bit / 8]) & mask) != 0) return false;
  }
  return true;
}

std::optional<IpAddress> Cidr::broadcast() const {
  if (address_.is_v6() || prefix_ >= 31) return std::nullopt;
  std::array<std::uint8_t, 4> bytes{};
  const std::uint32_t host = 0xffffffffU >> prefix_;
  for (unsigned i = 0; i < 4; ++i)
    bytes.at(i) = static_cast<std::uint8_t>(address_.bytes()[i] | ((host >> (24U - 8U * i)) & 0xffU));
  return IpAddress::from_bytes(bytes).value();
}

std::string Cidr::to_string() const { return address_.to_string() + "/" + std::to_string(prefix_); }

Result<Mac> Mac::parse(std::string_view text) {
  Mac out;
  const bool shape = text.size() == 17;
  for (std::size_t i = 0; shape && i < 6; ++i) {
    const char* first = text.data() + i * 3;
    const auto [end, ec] = std::from_chars(first, first + 2, out.bytes_.at(i), 16);
    if (ec != std::errc{} || end != first + 2 || (i < 5 && *end != ':')) break;
    if (i == 5) return out;
  }
  return Err{ErrorKind::spec, in_quotes(text) + " is not a MAC address such as 02:00:0a:00:03:03"};
}

Result<Mac> Mac::from_bytes(std::span<const std::uint8_t> bytes) {
  if (bytes.size() != 6)
    return Err{ErrorKind::failed, "a MAC address has 6 bytes, not " + std::to_string(bytes.size())};
  Mac out;
  std::copy(bytes.begin(), bytes.end(), out.bytes_.begin());
  return out;
}

std::string Mac::to_string() const {
  std::array<char, 18> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%02x:%02x:%02x:%02x:%02x:%02x", bytes_[0], bytes_[1], bytes_[2],
                bytes_[3], bytes_[4], bytes_[5]);
  return buffer.data();
}

Result<IfName> IfName::parse(std::string_view text) {
  if (text.empty() || text.size() > 15)
    return Err{ErrorKind::spec, in_quotes(text) + " is not a device name: 1 to 15 bytes are allowed"};
  const bool bad =
      text == "." || text == ".." || std::any_of(text.begin(), text.end(), [](char c) {
        return c == '/' || c == ':' || c == '\0' || std::string_view(" \t\n\v\f\r").find(c) != std::string_view::npos;
      });
  if (bad) return Err{ErrorKind::spec, in_quotes(text) + " is not a device name the kernel accepts"};
  return IfName(std::string(text));
}

}  // namespace plumb
