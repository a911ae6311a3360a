// ClaimSocket: what the claims of one node say and hear on one LAN: probes, the gateway's answer, hellos.
//
// Where it cannot hear: on a macvlan's *parent* it does not reach the macvlans of this host on that parent, nor does it
// reach the host itself from a macvlan (macvlan isolation). What this host sends on the same device is not heard.
//
// Threads: one at a time. Privilege: open() needs CAP_NET_RAW, and CAP_SYS_ADMIN when `ns` is not the caller's.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "netns/namespace/namespace.h"
#include "netns/socket/packet_socket.h"
#include "netns/wire/hello_message.h"
#include "specs/value/ip.h"
#include "specs/value/result.h"
#include "specs/value/unique_fd.h"

namespace plumb::netns {

// What a frame says, as far as claims are concerned.
struct LanFrame {
  enum class What {
    other,  // nothing of an address, but somebody is there
    use,    // its sender has the address (RFC 5227 section 2.4; RFC 4862 section 5.4.4)
    probe,  // its sender asks for the address (RFC 5227 section 2.1.1; RFC 4862 section 5.4.3)
    hello,  // a plumb says what it claims
  };
  What what;
  IpAddress address;        // of use and probe
  Mac mac;                  // who says it
  HelloMessage hello = {};  // of hello
};

class ClaimSocket {
 public:
  // On a device of `ns`, which it keeps alive. It hears nothing of an address family before listen_for() has named an
  // address of that. Errors: not_found (no device), unsupported (not Ethernet), permission, EMFILE.
  [[nodiscard]] static Result<ClaimSocket> open(std::shared_ptr<const Namespace> ns, int ifindex);

  // From now on it hears who has, or asks for, the address. Errors: as open().
  [[nodiscard]] Result<void> listen_for(const IpAddress& address);

  // Asks who has the address (RFC 5227 section 2.1.1; RFC 4862 section 5.4.2): no cache learns from it. Each returns 0
  // or the errno of send(2), and never blocks.
  [[nodiscard]] int probe(const IpAddress& address) const;
  [[nodiscard]] int hello(std::string_view node, std::span<const HelloEntry> entries) const;

  // The next frame of those that have arrived, in their order for each family; nullopt: none. Never blocks.
  [[nodiscard]] std::optional<LanFrame> read() const;

  // Readable when there is something to read, and when the device went down.
  [[nodiscard]] std::vector<int> descriptors() const;
  // What keeps it in IPv6 groups, for who passes it on to another process.
  [[nodiscard]] std::vector<int> memberships() const;
  // The device's, at open().
  [[nodiscard]] const Mac& mac() const { return hellos_.mac(); }
  // Its name now. Errors: not_found.
  [[nodiscard]] Result<std::string> device() const { return hellos_.device(); }

 private:
  ClaimSocket(std::shared_ptr<const Namespace> ns, int ifindex, PacketSocket hellos)
      : ns_(std::move(ns)), ifindex_(ifindex), hellos_(std::move(hellos)) {}

  std::shared_ptr<const Namespace> ns_;
  int ifindex_;
  PacketSocket hellos_;
  std::optional<PacketSocket> arp_;
  std::optional<PacketSocket> ndp_;
  std::set<IpAddress> heard_;          // IPv6: those whose group has been joined
  std::vector<UniqueFd> memberships_;  // of their groups, by way of the IPv6 stack
};

}  // namespace plumb::netns
