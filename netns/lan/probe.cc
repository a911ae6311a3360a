#include "netns/lan/probe.h"

#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <functional>
#include <random>
#include <vector>

#include "netns/namespace/enter.h"
#include "netns/namespace/stop_event.h"
#include "netns/socket/packet_socket.h"
#include "netns/wire/arp.h"
#include "netns/wire/frame_filter.h"
#include "netns/wire/ndp.h"

namespace plumb::netns {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using Frame = std::vector<std::uint8_t>;

using frame_filter::finish;
using frame_filter::jump_equal;
using frame_filter::load_byte;
using frame_filter::load_word;
using frame_filter::packet_type;
using frame_filter::whole_frame;
using frame_filter::word;

// Untagged ARP with the address as sender (offset 28) or target (38).
std::vector<sock_filter> arp_filter(const IpAddress& address) {
  const std::uint32_t value = word(address.bytes(), 0);
  return {{load_byte, 0, 0, packet_type}, {jump_equal, 5, 0, PACKET_OTHERHOST},
          {load_word, 0, 0, 28},          {jump_equal, 2, 0, value},
          {load_word, 0, 0, 38},          {jump_equal, 0, 1, value},
          {finish, 0, 0, whole_frame},    {finish, 0, 0, 0}};
}

// Untagged ICMPv6 (next header at 20) solicitations and advertisements (type at 54) about the address (target at 62).
std::vector<sock_filter> ndp_filter(const IpAddress& address) {
  const auto bytes = address.bytes();
  return {{load_byte, 0, 0, packet_type},
          {jump_equal, 14, 0, PACKET_OTHERHOST},
          {load_byte, 0, 0, 20},
          {jump_equal, 0, 12, IPPROTO_ICMPV6},
          {load_byte, 0, 0, 54},
          {jump_equal, 1, 0, 135},
          {jump_equal, 0, 9, 136},
          {load_word, 0, 0, 62},
          {jump_equal, 0, 7, word(bytes, 0)},
          {load_word, 0, 0, 66},
          {jump_equal, 0, 5, word(bytes, 4)},
          {load_word, 0, 0, 70},
          {jump_equal, 0, 3, word(bytes, 8)},
          {load_word, 0, 0, 74},
          {jump_equal, 0, 1, word(bytes, 12)},
          {finish, 0, 0, whole_frame},
          {finish, 0, 0, 0}};
}

// --- What one frame says about who has the address.

// RFC 5227 section 2.1.1: a sender with the address, or a probe of another host for it.
std::optional<Mac> arp_claim(std::span<const std::uint8_t> frame, const IpAddress& address) {
  const auto packet = decode_arp(frame);
  if (!packet) return std::nullopt;
  const bool claims = packet->sender_ip == address;
  const bool probes =
      packet->operation == ArpOperation::request && packet->sender_ip.is_any() && packet->target_ip == address;
  return claims || probes ? std::optional(packet->sender_mac) : std::nullopt;
}

// RFC 4862 sections 5.4.3 and 5.4.4: an advertisement, or a solicitation from ::, about the address.
std::optional<Mac> ndp_claim(std::span<const std::uint8_t> frame, const IpAddress& address) {
  const auto packet = decode_ndp(frame);
  if (!packet || packet->target != address) return std::nullopt;
  if (!packet->advertisement && !packet->source.is_any()) return std::nullopt;  // somebody only looks for it
  return packet->link_layer ? *packet->link_layer : *Mac::from_bytes(frame.subspan(6, 6));
}

Frame probe_frame(const Mac& mac, const IpAddress& address) {
  if (!address.is_v6())
    return encode_arp(broadcast_mac(), {ArpOperation::request, mac, IpAddress::any_v4(), zero_mac(), address});
  const IpAddress group = solicited_node(address);
  return encode_ndp(mac, multicast_mac(group),
                    {.advertisement = false,
                     .source = IpAddress::any_v6(),
                     .destination = group,
                     .target = address,
                     .link_layer = {}});
}

// --- The run of one probe.

milliseconds random_between(milliseconds from, milliseconds to) {
  if (to <= from) return from;
  std::random_device seed;
  return milliseconds{std::uniform_int_distribution<milliseconds::rep>(from.count(), to.count())(seed)};
}

class Listener {
 public:
  Listener(const PacketSocket& socket, const IpAddress& address, std::span<const Mac> ignore)
      : socket_(socket), address_(address), ignore_(ignore) {}

  // Reads what has arrived; a rival when some frame is a claim. Errors: the device went down.
  Result<std::optional<Rival>> read() const {
    std::array<std::uint8_t, 512> buffer{};
    for (;;) {
      const auto frame = TRY(socket_.receive(buffer));
      if (!frame) return std::optional<Rival>{};
      const auto mac = address_.is_v6() ? ndp_claim(*frame, address_) : arp_claim(*frame, address_);
      if (!mac || *mac == socket_.mac() || std::find(ignore_.begin(), ignore_.end(), *mac) != ignore_.end()) continue;
      return std::optional<Rival>{Rival{address_, *mac, socket_.device().value_or("?")}};
    }
  }

 private:
  const PacketSocket& socket_;
  const IpAddress& address_;
  std::span<const Mac> ignore_;
};

Err device_failure(const IpAddress& address, const PacketSocket& socket, int err) {
  Error error =
      errno_error(err, "probe for " + address.to_string() + " on " + socket.device().value_or("a device that is gone"));
  if (err == ENETDOWN) {
    error.kind = ErrorKind::refused;
    error.next = "The device is down: bring it up first";
  }
  return Err{std::move(error)};
}

Result<std::optional<Rival>> run(const PacketSocket& socket, const IpAddress& address, const ProbeTiming& timing,
                                 const StopEvent& stop, std::span<const Mac> ignore) {
  const std::string operation = "probe for " + address.to_string();
  const Listener listener(socket, address, ignore);
  const Frame frame = probe_frame(socket.mac(), address);
  auto next = Clock::now() + random_between(milliseconds{0}, timing.first_delay_max);
  unsigned sent = 0;
  int last_errno = ENETDOWN;
  for (unsigned turn = 0; turn <= timing.count; ++turn) {
    // Listens until the time of the next probe; in the last turn, until the end.
    for (;;) {
      if (TRY(stop.wait(socket.fd(), next, operation)) == StopEvent::Woken::deadline) break;
      auto heard = listener.read();
      if (!heard) return device_failure(address, socket, heard.error().code);
      if (*heard) return *std::move(heard);
    }
    if (turn == timing.count) break;
    const int err = socket.send(frame);
    if (err == 0) ++sent;
    if (err != 0 && err != ENOBUFS && err != EAGAIN) return device_failure(address, socket, err);
    if (err != 0) last_errno = err;
    const bool last = turn + 1 == timing.count;
    next = Clock::now() + (last ? timing.listen : random_between(timing.interval_min, timing.interval_max));
  }
  if (sent == 0) return device_failure(address, socket, last_errno);  // silence after no question is no answer
  return std::optional<Rival>{};
}

// What a probe listens with.
struct Ears {
  PacketSocket socket;
  UniqueFd membership;  // of the solicited-node group, IPv6 only
};

// Joins the address' solicited-node group through the IPv6 stack, so that a switch that snoops MLD lets the rivals'
// probes through to us (RFC 4862 section 5.4.2). Only a help: where IPv6 is off on the device, the packet socket's
// membership has to do, so failures do not count.
UniqueFd join_by_mld(int ifindex, const IpAddress& group) {
  UniqueFd fd(::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ipv6_mreq request{};
  std::memcpy(&request.ipv6mr_multiaddr, group.bytes().data(), sizeof request.ipv6mr_multiaddr);
  request.ipv6mr_interface = static_cast<unsigned>(ifindex);
  if (fd) static_cast<void>(::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_JOIN_GROUP, &request, sizeof request));
  return fd;
}

Result<Ears> open_ears(const Namespace& ns, int ifindex, const IpAddress& address) {
  if (!address.is_v6()) return Ears{TRY(PacketSocket::open(ns, ifindex, ETH_P_ARP, arp_filter(address))), {}};
  auto socket = TRY(PacketSocket::open(ns, ifindex, ETH_P_IPV6, ndp_filter(address)));
  const IpAddress group = solicited_node(address);
  TRY(socket.join(multicast_mac(group)));
  TRY(socket.join(multicast_mac(all_nodes())));  // where answers to a probe go (RFC 4861 section 7.2.4)
  return Ears{std::move(socket), join_by_mld(ifindex, group)};
}

}  // namespace

Result<Probed> probe(const Namespace& ns, int ifindex, const IpAddress& address, const ProbeTiming& timing,
                     std::stop_token stop, std::span<const Mac> ignore) {
  if (timing.count == 0)
    return Err{ErrorKind::usage, "probe for " + address.to_string() + ": no probes were asked for"};
  const auto event = TRY(StopEvent::open(std::move(stop)));
  auto ears = TRY(run_in(ns, [&] { return open_ears(ns, ifindex, address); }));
  auto rival = TRY(run(ears.socket, address, timing, event, ignore));
  return Probed{std::move(rival), std::move(ears.socket).release()};
}

}  // namespace plumb::netns
