// IpName: what ipname gives: an address, or the host name of one or more.
//
// Threads: a plain value. Privilege: none.
#pragma once

#include <compare>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "specs/value/host_name.h"
#include "specs/value/ip.h"
#include "specs/value/result.h"

namespace plumb {

class IpName {
 public:
  // An address where the text is one, else a host name. Errors: spec, those of HostName.
  [[nodiscard]] static Result<IpName> parse(std::string_view text);
  explicit IpName(IpAddress address) : name_(address) {}
  explicit IpName(HostName host) : name_(std::move(host)) {}

  // Nullptr for a host name.
  [[nodiscard]] const IpAddress* address() const { return std::get_if<IpAddress>(&name_); }
  // Nullptr for an address.
  [[nodiscard]] const std::string* host() const {
    const auto* host = std::get_if<HostName>(&name_);
    return host == nullptr ? nullptr : &host->str();
  }
  // The address in its one spelling, or the host name as it was written.
  [[nodiscard]] std::string to_string() const { return host() != nullptr ? *host() : address()->to_string(); }

  friend auto operator<=>(const IpName&, const IpName&) = default;

 private:
  std::variant<IpAddress, HostName> name_;
};

}  // namespace plumb
