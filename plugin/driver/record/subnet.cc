#include "plugin/driver/record/subnet.h"

#include <algorithm>
#include <array>
#include <string>

#include "specs/value/text.h"

namespace plumb::driver {

namespace {

// The bytes of an address with all its host bits 0 or 1.
IpAddress with_host_bits(const Cidr& subnet, bool ones) {
  const auto have = subnet.address().bytes();
  std::array<std::uint8_t, 16> bytes{};
  for (unsigned i = 0; i < have.size(); ++i) {
    const unsigned kept = subnet.prefix() <= i * 8 ? 0U : std::min(8U, subnet.prefix() - i * 8);
    const auto host = static_cast<std::uint8_t>(0xffU >> kept);
    bytes.at(i) = static_cast<std::uint8_t>(ones ? have[i] | host : have[i] & ~host);
  }
  return IpAddress::from_bytes(std::span(bytes).first(have.size())).value();
}

}  // namespace

IpAddress first_address(const Cidr& subnet) { return with_host_bits(subnet, false); }

IpAddress last_address(const Cidr& subnet) { return with_host_bits(subnet, true); }

IpAddress address_after(const Cidr& subnet, const IpAddress& address) {
  if (!subnet.contains(address) || address == last_address(subnet)) return first_address(subnet);
  std::array<std::uint8_t, 16> bytes{};
  const auto have = address.bytes();
  std::copy(have.begin(), have.end(), bytes.begin());
  std::size_t i = have.size();
  while (i > 0 && ++bytes.at(i - 1) == 0) --i;  // the carry
  return IpAddress::from_bytes(std::span(bytes).first(have.size())).value();
}

IpAddress address_at(const Cidr& subnet, std::uint64_t place) {
  const IpAddress first = first_address(subnet);
  const unsigned host_bits = std::min(32U, first.bits() - subnet.prefix());
  std::array<std::uint8_t, 16> bytes{};
  const auto have = first.bytes();
  std::copy(have.begin(), have.end(), bytes.begin());
  std::uint64_t offset = host_bits == 0 ? 0 : place >> (64 - host_bits);
  for (std::size_t i = have.size(); offset != 0; offset >>= 8U) bytes.at(--i) |= static_cast<std::uint8_t>(offset);
  return IpAddress::from_bytes(std::span(bytes).first(have.size())).value();
}

bool overlap(const Cidr& a, const Cidr& b) { return a.contains(b.address()) || b.contains(a.address()); }

bool encloses(const Cidr& outer, const Cidr& inner) {
  return inner.prefix() >= outer.prefix() && outer.contains(inner.address());
}

Result<Cidr> parse_subnet(std::string_view text, std::string_view what) {
  const auto subnet = Cidr::parse(text);
  if (!subnet) return Err{ErrorKind::spec, std::string(what) + ": " + subnet.error().what};
  const IpAddress first = first_address(*subnet);
  const std::string prefix = "/" + std::to_string(subnet->prefix());
  if (subnet->address() != first)
    return Err{ErrorKind::spec, std::string(what) + ": " + in_quotes(text) +
                                    " is an address in a subnet, not a subnet; write " + first.to_string() + prefix};
  if (subnet->prefix() == 0)
    return Err{ErrorKind::spec,
               std::string(what) + ": " + in_quotes(text) +
                   " is every address there is; write the subnet of your network, such as 10.0.3.0/24"};
  if (first.is_loopback() || first.is_multicast())
    return Err{ErrorKind::spec,
               std::string(what) + ": " + in_quotes(text) + " has no addresses that a machine can have"};
  return *subnet;
}

}  // namespace plumb::driver
