// Message: one rtnetlink request under construction.
//
// For this layer only: the one owner of a libnl message. A part that does not fit or cannot be allocated makes the
// whole message incomplete, which RouteSocket::exchange() refuses to send; so no put needs a check of its own.
//
// Threads: a value. Privilege: none.
#pragma once

#include <netlink/attr.h>
#include <netlink/msg.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "specs/value/ip.h"

namespace plumb::netns {

class Message {
 public:
  // `type` is an RTM_*, `flags` are NLM_F_* besides NLM_F_REQUEST; `header` is the family's own (ifinfomsg, ifaddrmsg,
  // ...).
  template <typename Header>
  Message(int type, int flags, const Header& header) : message_(nlmsg_alloc_simple(type, flags | NLM_F_REQUEST)) {
    append(&header, sizeof header);
  }

  void put(int attribute, std::span<const std::uint8_t> bytes) {
    check(message_ ? nla_put(message_.get(), attribute, static_cast<int>(bytes.size()), bytes.data()) : -1);
  }
  void put(int attribute, std::uint16_t value) { check(message_ ? nla_put_u16(message_.get(), attribute, value) : -1); }
  void put(int attribute, std::uint32_t value) { check(message_ ? nla_put_u32(message_.get(), attribute, value) : -1); }
  void put(int attribute, std::string_view text) {
    const std::string terminated(text);
    check(message_ ? nla_put_string(message_.get(), attribute, terminated.c_str()) : -1);
  }
  void put(int attribute, const IpAddress& address) { put(attribute, address.bytes()); }
  template <typename Header>
  void put_header(const Header& header) {  // inside a nest: VETH_INFO_PEER starts with an ifinfomsg
    append(&header, sizeof header);
  }
  // Runs `fill`, which puts the attributes inside.
  template <typename F>
  void nest(int attribute, F&& fill) {
    nlattr* start = message_ ? nla_nest_start(message_.get(), attribute) : nullptr;
    if (start == nullptr) return check(-1);
    fill();
    check(nla_nest_end(message_.get(), start));
  }

  // The bytes to send; nullptr when something did not fit.
  [[nodiscard]] nlmsghdr* finished() { return complete_ ? nlmsg_hdr(message_.get()) : nullptr; }

 private:
  struct Free {
    void operator()(nl_msg* message) const { nlmsg_free(message); }
  };
  void append(const void* bytes, std::size_t size) {
    // libnl takes a mutable pointer and only reads it (nlmsg_append, lib/msg.c).
    check(message_ ? nlmsg_append(message_.get(), const_cast<void*>(bytes), size, NLMSG_ALIGNTO) : -1);  // NOLINT
  }
  void check(int status) {
    if (status < 0) complete_ = false;
  }

  std::unique_ptr<nl_msg, Free> message_;
  bool complete_ = true;
};

}  // namespace plumb::netns
