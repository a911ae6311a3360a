#include "netns/lan/probe.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <random>

#include "netns/namespace/enter.h"
#include "netns/namespace/stop_event.h"
#include "netns/socket/packet_socket.h"
#include "netns/wire/arp.h"
#include "netns/wire/claim.h"
#include "netns/wire/ndp.h"

namespace plumb::netns {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

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
      const auto mac = claim_in(*frame, address_, ClaimBy::use_or_probe);
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

struct ProbeSockets {
  PacketSocket frames;
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

Result<ProbeSockets> open_sockets(const Namespace& ns, int ifindex, const IpAddress& address) {
  auto socket =
      TRY(PacketSocket::open(ns, ifindex, claim_ethertype(address), claim_filter(address, ClaimBy::use_or_probe)));
  if (!address.is_v6()) return ProbeSockets{std::move(socket), {}};
  const IpAddress group = solicited_node(address);
  TRY(socket.join(multicast_mac(group)));
  TRY(socket.join(multicast_mac(all_nodes())));  // where answers to a probe go (RFC 4861 section 7.2.4)
  return ProbeSockets{std::move(socket), join_by_mld(ifindex, group)};
}

}  // namespace

Result<Probed> probe(const Namespace& ns, int ifindex, const IpAddress& address, const ProbeTiming& timing,
                     std::stop_token stop, std::span<const Mac> ignore) {
  if (timing.count == 0)
    return Err{ErrorKind::usage, "probe for " + address.to_string() + ": no probes were asked for"};
  const auto event = TRY(StopEvent::open(std::move(stop)));
  auto sockets = TRY(run_in(ns, [&] { return open_sockets(ns, ifindex, address); }));
  auto rival = TRY(run(sockets.frames, address, timing, event, ignore));
  return Probed{std::move(rival), std::move(sockets.frames).release()};
}

}  // namespace plumb::netns
