// HostName: the name of a host or a node. An object that exists is valid; only parse() can say no.
//
// Threads: a plain value. Privilege: none.
#pragma once

#include <compare>
#include <string>
#include <string_view>

#include "specs/value/result.h"

namespace plumb {

class HostName {
 public:
  // RFC 1123 section 2.1 labels (letters, digits, inner hyphens; underscores too, as many sites use them in node
  // names), at most 253 bytes, and a last label that is not all digits, so that a mistyped address is not one. Errors:
  // spec, which quote the text.
  [[nodiscard]] static Result<HostName> parse(std::string_view text);

  [[nodiscard]] const std::string& str() const { return name_; }

  friend auto operator<=>(const HostName&, const HostName&) = default;

 private:
  explicit HostName(std::string name) : name_(std::move(name)) {}
  std::string name_;
};

// One part of a host name, between its dots.
[[nodiscard]] bool is_host_label(std::string_view label);

}  // namespace plumb
