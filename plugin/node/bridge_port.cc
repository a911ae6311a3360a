#include "plugin/node/bridge_port.h"

#include <array>
#include <cstdint>
#include <cstdio>

#include "netns/link/carrier.h"
#include "netns/link/link.h"
#include "plugin/node/device.h"
#include "specs/value/fnv.h"

namespace plumb {

namespace {

Result<void> finish(netns::RouteSocket& node, const netns::VethPair& pair, const BridgePort& port) {
  TRY(netns::set_alias(node, pair.host.index, port.alias));
  // A port of Open vSwitch is not one yet, and an end that is down keeps the other without a carrier.
  if (port.mode == IpMode::bridge && port.up) TRY(netns::force_carrier(node, pair.host.name));
  return {};
}

// Four bytes for a device's name: itself, or what tells longer ones apart that begin alike.
std::string tail_of(std::string_view device) {
  constexpr std::size_t kBytes = 4;
  constexpr std::string_view kDigits = "0123456789abcdefghijklmnopqrstuvwxyz";
  if (device.size() <= kBytes) return std::string(device);
  auto hash = fnv1a(kFnv32, device);
  std::string out;
  constexpr std::uint32_t kBase = kDigits.size();
  for (; out.size() < kBytes; hash /= kBase) out += kDigits[hash % kBase];
  return out;
}

}  // namespace

Result<IfName> service_port_name(const netns::Namespace& inside, std::string_view device) {
  std::array<char, 16> name{};
  std::snprintf(name.data(), name.size(), "pl%x.%s", static_cast<unsigned>(inside.id().ino), tail_of(device).c_str());
  return IfName::parse(name.data());
}

std::string endpoint_port_name(std::string_view endpoint) { return "po" + std::string(endpoint.substr(0, 12)); }

Result<netns::VethPair> make_bridge_port(netns::RouteSocket& node, netns::RouteSocket& target, const BridgePort& port) {
  const auto bridge = TRY(device_named(node, port.bridge));
  if (!bridge && port.mode == IpMode::bridge)
    return Err{ErrorKind::not_found, "find device " + port.bridge + ": no such device"};
  const auto mtu = port.mtu ? port.mtu : bridge ? std::optional<unsigned>(bridge->mtu) : std::nullopt;
  const int master = port.mode == IpMode::bridge ? bridge->index : 0;
  auto pair = TRY(netns::create_veth(node, target, {port.name, master, port.inner, port.mac, mtu, port.up}));
  if (auto done = finish(node, pair, port); !done) {
    // One end takes the other along. What removal says is less than why we are here.
    static_cast<void>(netns::remove_link(node, pair.host.index));
    return Err{std::move(done).error()};
  }
  return pair;
}

Result<bool> has_other_ports(netns::RouteSocket& node, const std::string& bridge, const std::set<std::string>& named) {
  const auto device = TRY(device_named(node, bridge));
  if (!device) return false;
  const auto links = TRY(netns::links(node));
  return std::any_of(links.begin(), links.end(), [&](const netns::Link& link) {
    return link.master == device->index && link.carrier && !named.contains(link.name.str());
  });
}

}  // namespace plumb
