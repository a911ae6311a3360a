// EndpointClaims: the claims of the driver's addresses, from the first question until the endpoint is deleted.
//
// An address is asked for when the engine requests it or, where its user has named it, when its endpoint is made; it is
// reserved while the engine works, on its link when that has arrived in the container, and withdrawn once the link is
// gone. They are heard on the node's uplink. A device that is itself given away, and a switch's port, can only be heard
// where they are: such a claim is reserved on the link while that is on the node, and begins anew in the container,
// whose namespace is held as long; and so does one of a network that does not probe.
//
// Threads: safe from any; no caller may hold a lock that a hook takes. Privilege: CAP_NET_ADMIN, CAP_NET_RAW,
// CAP_SYS_ADMIN.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "netns/link/link.h"
#include "plugin/claim/claim_runner.h"
#include "plugin/claim/voice.h"
#include "plugin/driver/claim/announcements.h"
#include "plugin/driver/claim/endpoint_address.h"
#include "plugin/driver/metrics.h"
#include "plugin/driver/record/record.h"
#include "specs/value/ip.h"
#include "specs/value/result.h"

namespace plumb::driver {

class EndpointClaims {
 public:
  using Clock = std::chrono::steady_clock;
  // Called under the runner's lock.
  struct Hooks {
    // An address of that endpoint was claimed by somebody else before it arrived in its container.
    std::function<void(const std::string& endpoint)> lost;
    // What has to be in its record, for resume().
    std::function<void(const std::string& endpoint, const IpAddress& address, const claim::Kept& kept)> keep;
  };
  // Errors: EMFILE.
  [[nodiscard]] static Result<std::unique_ptr<EndpointClaims>> open(Metrics& metrics, Hooks hooks);

  // Asks for an address of the network that is no endpoint's yet. Nothing: it is free, and kept from others until an
  // endpoint is made with it, give_back(), or some time has passed. Errors: those of ClaimRunner.
  [[nodiscard]] Result<std::optional<ClaimRival>> hold(const NetworkRecord& network, IpMode mode,
                                                       const IpAddress& address);
  void give_back(const std::string& uplink, const IpAddress& address);
  // Gives back what was held for too long; when it has to be called again, or max().
  Clock::time_point expire();

  // The endpoint becomes known, and may have claims.
  void know(const NetworkRecord& network, const EndpointRecord& endpoint);
  struct Rival {
    IpAddress address;
    std::string who;
  };
  // Asks for those addresses of a known endpoint that were not held, all at once, and waits for the answers: who has
  // them. `again`: what this MAC answers does not count, and it is asked again when it returns. Errors: those of
  // ClaimRunner.
  [[nodiscard]] Result<std::vector<Rival>> ask(const std::string& endpoint,
                                               const std::function<bool(const Mac&)>& again);
  // The same without waiting: the engine does its part already.
  [[nodiscard]] Result<void> begin(const std::string& endpoint);
  // Somebody else has claimed an address of it since.
  [[nodiscard]] std::optional<Rival> loss(const std::string& endpoint);

  // Its record says where it goes, or is. Frames of its MAC are its own from now on, and not before: another node's
  // endpoint may have the same.
  void join(const EndpointRecord& endpoint);
  // The link with the addresses is in its container.
  void arrived(const std::string& endpoint, const netns::Link& link);
  // It has been there since before this process: those of its addresses that are missing were taken off by a claim.
  // Errors: those of the voice; nothing is claimed then, and it may be called again.
  [[nodiscard]] Result<void> resume(const std::string& endpoint, const netns::Link& link,
                                    const std::vector<Cidr>& present, bool carrier);
  // The engine is about to take the link back.
  void leave(const std::string& endpoint);
  // The link is gone: others are told.
  void withdraw(const std::string& endpoint);

  // Of a device of the node, which is there or away, or is there again after a moment.
  void carrier(const std::string& device, bool up, bool flapped);

 private:
  struct Claim {
    ClaimRunner::Id id = 0;
    std::shared_ptr<EndpointAddress> address;
  };
  struct Held {
    Claim claim;
    Clock::time_point until;
  };
  struct Known {
    NetworkRecord network;
    EndpointRecord endpoint;
    bool left = false;
    bool on_node = false;  // its claims are heard by the link itself, which is not in the container yet
    std::vector<Claim> claims = {};
  };
  EndpointClaims(Metrics& metrics, Hooks hooks);

  [[nodiscard]] Result<Claim> start(const NetworkRecord& network, IpMode mode, const Voice& voice,
                                    const IpAddress& address, const EndpointRecord* endpoint);
  [[nodiscard]] Result<std::optional<ClaimRival>> judge(const Claim& claim);
  [[nodiscard]] Result<Claim> take_up(const Known& known, const Voice& voice, const Cidr& cidr, const Mac& mac,
                                      bool carrier, bool on_link);
  [[nodiscard]] std::shared_ptr<EndpointAddress> make_address(const NetworkRecord& network, const IpAddress& address);
  [[nodiscard]] std::optional<Claim> take_held(const std::string& uplink, const IpAddress& address);
  [[nodiscard]] std::optional<Known> find(const std::string& endpoint);
  // Those of an endpoint that has gone meanwhile end.
  void keep(const std::string& endpoint, std::vector<Claim> claims);
  void drop_on_node(const std::string& endpoint);
  [[nodiscard]] std::vector<Claim> take_claims(const std::string& endpoint);

  std::string node_;
  EndpointAddress::Surroundings around_;
  std::mutex mutex_;                                        // of what follows; never held while the runner is called
  std::map<std::pair<std::string, IpAddress>, Held> held_;  // by uplink and address
  std::map<std::string, Known> known_;                      // by endpoint
  Announcements announcements_;
  std::unique_ptr<ClaimRunner> runner_;  // last: its thread uses the others
};

}  // namespace plumb::driver
