#include "netns/lan/rival_watch.h"

#include <array>
#include <cstdint>

#include "netns/wire/claim.h"
#include "netns/wire/ndp.h"

namespace plumb::netns {

Result<RivalWatch> RivalWatch::open(const Namespace& ns, int ifindex, const IpAddress& address) {
  auto socket = TRY(PacketSocket::open(ns, ifindex, claim_ethertype(address), claim_filter(address, ClaimBy::use)));
  if (address.is_v6()) TRY(socket.join(multicast_mac(all_nodes())));  // where unsolicited advertisements go
  return RivalWatch(std::move(socket), address);
}

std::optional<Mac> RivalWatch::read() {
  std::optional<Mac> last;
  std::array<std::uint8_t, 512> buffer{};
  for (int errors = 0; errors < 3;) {
    const auto frame = socket_.receive(buffer);
    if (!frame) {
      ++errors;  // the device went down, which LinkWatch tells; reading the error takes it off the socket
      continue;
    }
    if (!*frame) return last;
    const auto mac = claim_in(**frame, address_, ClaimBy::use);
    if (mac && *mac != socket_.mac()) last = mac;
  }
  return last;
}

}  // namespace plumb::netns
