// HeldClaim: the claim of one address of a running service, as the watcher goes on with it: on its link, or off it
// while that is in doubt, or somebody else has the address.
//
// Threads: safe from any; what is done on the link is done by the runner's thread or by the caller's. Privilege:
// CAP_NET_ADMIN, CAP_NET_RAW, CAP_SYS_ADMIN.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "netns/namespace/namespace.h"
#include "plugin/claim/claim_runner.h"
#include "plugin/watch/metrics.h"
#include "plugin/watch/namespace_sockets.h"
#include "plugin/watch/withheld.h"
#include "specs/plan/carrier.h"
#include "specs/service/service.h"
#include "specs/value/ip.h"
#include "specs/value/result.h"

namespace plumb::watch {

// One address, as who claims it has to know it.
struct Claim {
  std::string service;
  std::string node;  // the name by which the service knows this one
  std::string resource;
  std::string container;  // its resource; empty: the node's own namespace
  std::string device;     // that it is, or is to be, on
  int ifindex = 0;        // the same
  Mac mac;                // the same
  Cidr cidr;
  std::optional<IpAddress> gateway = {};
  IpMode mode = IpMode::macvlan;  // of the device; of type host: the mode of none
  bool own_device = false;        // it is on a device that the node, or the container, has of its own
  bool extra_route = false;       // del_net_route
  bool no_source = false;         // as AddressOptions has it
  ProbeProfile probe = ProbeProfile::fast;
  std::chrono::milliseconds hello{1000};  // 0: none
  ConflictPolicy conflict = ConflictPolicy::fail;
  AnnouncePolicy announce = {};
  std::string uplink = {};           // the node's device that its LAN is behind; empty: the container's own device
  std::set<std::string> ports = {};  // where that is a bridge: its ports to the LAN
  std::set<Mac> own = {};            // of the service itself, which are no rivals
  std::vector<CarrierSeen> carriers = {};  // of these, as they were observed
  bool minds_carrier = true;               // check_carrier
  bool carrier = true;                     // of the uplink and its ports, as they were observed
  bool on_link = true;                     // the same
};

struct ClaimNews {
  std::string service;
  std::string resource;
  IpAddress address;
  ConflictPolicy conflict = ConflictPolicy::fail;
  std::string why;  // as in ClaimReport
  claim::State state = claim::State::withdrawn;
  std::optional<ClaimRival> rival;
  std::optional<Error> error;  // it could not be put back
};

// What all claims of a watcher share.
struct ClaimContext {
  std::shared_ptr<ClaimRunner> runner;
  std::shared_ptr<Withheld> withheld;  // what is destroyed later may outlive the watcher
  Metrics& metrics;
  std::function<void(ClaimNews)> tell;
  std::shared_ptr<SocketsOfNamespaces> sockets = std::make_shared<SocketsOfNamespaces>();
};

class HeldClaim {
 public:
  // Goes on with the claim, by what the service's book says of it. Errors: those of the voice.
  [[nodiscard]] static Result<std::shared_ptr<HeldClaim>> open(const ClaimContext& context,
                                                               const std::shared_ptr<const netns::Namespace>& ns,
                                                               const Claim& claim);
  // Dropped without a word: what is on the link stays there, and others may go on with it.
  ~HeldClaim();
  HeldClaim(const HeldClaim&) = delete;
  HeldClaim& operator=(const HeldClaim&) = delete;

  // The same, while the rest of it may be destroyed later; nothing else may be called then.
  void end();
  // As end(), but the service was stopped: others are told.
  void withdraw();
  void carrier(bool up) { runner_->carrier(id_, up); }
  void flapped() { runner_->flapped(id_); }
  // What a device of its LAN is by now, so that its successor knows. After what is to be made of it.
  void note(const CarrierSeen& carrier);
  // What all devices of the node are by now: a loss that has not been noted is a doubt.
  void compare(const std::vector<CarrierSeen>& now);
  void forwards() { runner_->forwards(id_); }
  // It was put back by a verb.
  void adopt();
  [[nodiscard]] claim::State state() const { return runner_->state(id_); }

 private:
  class Link;
  HeldClaim(std::shared_ptr<ClaimRunner> runner, std::shared_ptr<Link> link, ClaimRunner::Id id)
      : runner_(std::move(runner)), link_(std::move(link)), id_(id) {}

  std::shared_ptr<ClaimRunner> runner_;
  std::shared_ptr<Link> link_;
  ClaimRunner::Id id_;
};

}  // namespace plumb::watch
