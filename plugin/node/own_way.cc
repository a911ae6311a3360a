#include "plugin/node/own_way.h"

#include <cstdint>
#include <vector>

#include "netns/address/route.h"
#include "netns/address/rule.h"

namespace plumb {

namespace {

// "pl", far from the numbers that people choose: by its priority a rule is known as one of these.
constexpr unsigned kPriority = 0x706c;
constexpr unsigned kFirstTable = 0x706c'0000;

// Its host bits 0, as IPv4 wants the destination of a route (fib_valid_key_len, net/ipv4/fib_trie.c).
Result<Cidr> subnet_of(const Cidr& cidr) {
  std::vector<std::uint8_t> bytes(cidr.address().bytes().begin(), cidr.address().bytes().end());
  for (unsigned bit = cidr.prefix(); bit < cidr.address().bits(); ++bit)
    bytes[bit / 8] = static_cast<std::uint8_t>(bytes[bit / 8] & ~(0x80U >> bit % 8));
  return Cidr::make(TRY(IpAddress::from_bytes(bytes)), cidr.prefix());
}

}  // namespace

unsigned own_table(int link) { return kFirstTable + static_cast<unsigned>(link); }

Result<void> give_own_way(netns::RouteSocket& socket, int link, const Cidr& address, bool on_link) {
  const IpAddress& bare = address.address();
  TRY(netns::remove_rules(socket, bare, kPriority));  // of a link before this one
  auto added = netns::add_rule(socket, {bare, own_table(link), kPriority});
  if (!added && added.error().kind == ErrorKind::unsupported) return {};
  if (!added || !on_link) return added;
  return netns::replace_route(socket, {TRY(subnet_of(address)), {}, link, own_table(link), {}, {}});
}

Result<void> give_own_gateway(netns::RouteSocket& socket, int link, const IpAddress& gateway, bool onlink) {
  netns::Route route{netns::default_destination(gateway.is_v6()), gateway, link, own_table(link), {}, {}};
  route.onlink = onlink;
  return netns::replace_route(socket, route);
}

Result<void> take_own_way(netns::RouteSocket& socket, const IpAddress& address) {
  return netns::remove_rules(socket, address, kPriority);
}

}  // namespace plumb
