// Attributes: typed, length-checked reading of the attributes (struct nlattr, linux/netlink.h) of one rtnetlink
// message.
//
// For this layer only. What is too short for its type reads as absent. Threads: a value; it refers to the message.
// Privilege: none.
#pragma once

#include <netlink/attr.h>
#include <netlink/msg.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>

#include "specs/value/ip.h"

namespace plumb::netns {

template <int Max>
class Attributes {
 public:
  // The attributes after the family header of `header_size` bytes. A malformed message reads as one without attributes.
  Attributes(const nlmsghdr& message, int header_size) {
    if (nlmsg_valid_hdr(&message, header_size) == 0) return;
    parse(nlmsg_attrdata(&message, header_size), nlmsg_attrlen(&message, header_size));
  }
  explicit Attributes(const nlattr* nest) {
    if (nest != nullptr) parse(static_cast<const nlattr*>(nla_data(nest)), nla_len(nest));
  }

  [[nodiscard]] const nlattr* get(int attribute) const { return table_.at(static_cast<std::size_t>(attribute)); }
  [[nodiscard]] bool has(int attribute) const { return get(attribute) != nullptr; }
  [[nodiscard]] std::span<const std::uint8_t> bytes(int attribute) const {
    const nlattr* found = get(attribute);
    if (found == nullptr) return {};
    return {static_cast<const std::uint8_t*>(nla_data(found)), static_cast<std::size_t>(nla_len(found))};
  }
  // Numbers are in host order, as rtnetlink has them; netfilter's are in network order.
  [[nodiscard]] std::optional<std::uint32_t> u32(int attribute) const { return number<std::uint32_t>(attribute); }
  [[nodiscard]] std::optional<std::uint16_t> u16(int attribute) const { return number<std::uint16_t>(attribute); }
  [[nodiscard]] std::optional<std::uint8_t> u8(int attribute) const { return number<std::uint8_t>(attribute); }
  // Without the terminator.
  [[nodiscard]] std::string text(int attribute) const {
    std::string out;
    for (const std::uint8_t byte : bytes(attribute)) {
      if (byte == 0) break;
      out.push_back(static_cast<char>(byte));
    }
    return out;
  }
  // In network order: 4 or 16 bytes.
  [[nodiscard]] std::optional<IpAddress> address(int attribute) const {
    auto parsed = IpAddress::from_bytes(bytes(attribute));
    return parsed ? std::optional(*parsed) : std::nullopt;
  }
  [[nodiscard]] std::optional<Mac> mac(int attribute) const {
    if (bytes(attribute).size() != 6) return std::nullopt;
    auto parsed = Mac::from_bytes(bytes(attribute));
    return parsed ? std::optional(*parsed) : std::nullopt;
  }

 private:
  template <typename Number>
  [[nodiscard]] std::optional<Number> number(int attribute) const {
    const auto data = bytes(attribute);
    Number value = 0;
    if (data.size() < sizeof value) return std::nullopt;
    std::memcpy(&value, data.data(), sizeof value);
    return value;
  }

  void parse(const nlattr* head, int length) {
    for (const nlattr* at = head; nla_ok(at, length) != 0; at = nla_next(at, &length)) {
      const int type = nla_type(at);
      if (type <= Max) table_[static_cast<std::size_t>(type)] = at;
    }
  }

  std::array<const nlattr*, static_cast<std::size_t>(Max) + 1> table_{};
};

// The family header of a message (ifinfomsg, ...); nullopt when the message is too short for it.
template <typename Header>
[[nodiscard]] std::optional<Header> family_header(const nlmsghdr& message) {
  Header header{};
  if (nlmsg_valid_hdr(&message, sizeof header) == 0) return std::nullopt;
  std::memcpy(&header, nlmsg_data(&message), sizeof header);
  return header;
}

}  // namespace plumb::netns
