#include "tests/lab/answers.h"

#include "tests/lab/capture.h"

namespace plumb::lab {

std::set<std::string> owners(const std::string& address) {
  const Node client("client");
  Capture wire(client, "eth0");
  for (int times = 0; times < 2; ++times) {
    client.must({"ip", "neighbour", "flush", "to", address});
    client.must({"ping", "-c", "2", "-i", "0.2", "-W", "2", address});
  }
  std::set<std::string> out;
  for (const auto& frame : wire.frames()) {
    if (const auto arp = frame.arp(); arp && arp->claims(address)) out.insert(arp->sender_mac);
    if (const auto ndp = frame.neighbour(); ndp && ndp->type == 136 && ndp->target == address) out.insert(ndp->source);
  }
  return out;
}

std::set<std::string> answered_by(const std::string& address) {
  const Node client("client");
  Capture wire(client, "eth0");
  client.must({"ping", "-c", "2", "-i", "0.2", "-W", "2", address});
  std::set<std::string> out;
  for (const auto& frame : wire.frames())
    if (const auto echo = frame.echo(); echo && echo->reply && echo->sender_ip == address) out.insert(echo->source);
  return out;
}

}  // namespace plumb::lab
