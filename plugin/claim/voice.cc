#include "plugin/claim/voice.h"

#include "plugin/node/device.h"
#include "plugin/node/lan_probe.h"
#include "specs/service/uplink.h"

namespace plumb {

Voice voice_on(const std::string& parent, IpMode mode) {
  return {parent + (is_ipvlan(mode) ? " ipvlan" : ""), parent, [parent, mode]() -> Result<netns::ClaimSocket> {
            auto listener = TRY(listener_on(parent, mode));
            return netns::ClaimSocket::open(std::move(listener.ns), listener.index);
          }};
}

Voice voice_at(const std::string& device) {
  return {device + " itself", device, [device]() -> Result<netns::ClaimSocket> {
            auto own = std::make_shared<const netns::Namespace>(TRY(netns::Namespace::current()));
            auto socket = TRY(netns::RouteSocket::open(*own));
            const auto link = TRY(need_link(socket, device));
            return netns::ClaimSocket::open(std::move(own), link.index);
          }};
}

Voice voice_inside(std::shared_ptr<const netns::Namespace> ns, const std::string& container,
                   const std::string& device) {
  return {container + "/" + device, device, [ns = std::move(ns), device]() -> Result<netns::ClaimSocket> {
            auto socket = TRY(netns::RouteSocket::open(*ns));
            const auto link = TRY(need_link(socket, device));
            return netns::ClaimSocket::open(ns, link.index);
          }};
}

}  // namespace plumb
