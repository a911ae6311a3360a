#include "netns/lan/probe.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <random>

#include "netns/lan/membership.h"
#include "netns/namespace/enter.h"
#include "netns/namespace/stop_event.h"
#include "netns/socket/packet_socket.h"
#include "netns/wire/claim.h"
#include "netns/wire/ndp.h"

namespace plumb::netns {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

milliseconds random_between(milliseconds from, milliseconds to) {
  if (to <= from) return from;
  std::random_device seed;
  return milliseconds{std::uniform_int_distribution<milliseconds::rep>(from.count(), to.count())(seed)};
}

class Listener {
 public:
  Listener(const PacketSocket& socket, const IpAddress& address, std::span<const Mac> ignore)
      : socket_(socket), address_(address), ignore_(ignore) {}

  // Reads what has arrived; a rival when some frame says that its sender has the address. Errors: the device went down.
  Result<std::optional<Rival>> read() const {
    std::array<std::uint8_t, 512> buffer{};
    for (;;) {
      const auto frame = TRY(socket_.receive(buffer));
      if (!frame) return std::optional<Rival>{};
      const auto claim = claim_in(*frame);
      if (!claim || claim->by != AddressClaim::By::use || claim->address != address_ || claim->mac == socket_.mac() ||
          std::find(ignore_.begin(), ignore_.end(), claim->mac) != ignore_.end())
        continue;
      return std::optional<Rival>{Rival{address_, claim->mac, socket_.device().value_or("?")}};
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
  const Frame frame = encode_probe(socket.mac(), address);
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

Result<ProbeSockets> open_sockets(const Namespace& ns, int ifindex, const IpAddress& address) {
  auto socket = TRY(PacketSocket::open(ns, ifindex, claim_ethertype(address), claim_filter(address)));
  if (!address.is_v6()) return ProbeSockets{std::move(socket), {}};
  const IpAddress group = solicited_node(address);
  TRY(socket.join(multicast_mac(group)));
  TRY(socket.join(multicast_mac(all_nodes())));  // where answers to a probe go (RFC 4861 section 7.2.4)
  return ProbeSockets{std::move(socket), join_solicited_node(ifindex, address)};
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
