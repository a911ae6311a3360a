// EndpointAddress: an address of an endpoint as its claim has it: put on the link in the container, taken off,
// announced there, and what is told of it.
//
// Threads: safe from any; it calls nobody who calls the claims' runner, under whose lock it is called. Privilege:
// CAP_NET_ADMIN, CAP_NET_RAW, CAP_SYS_ADMIN.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "netns/address/route.h"
#include "plugin/claim/claim_runner.h"
#include "plugin/driver/claim/announcements.h"
#include "plugin/driver/metrics.h"
#include "plugin/driver/record/record.h"
#include "plugin/driver/record/way_out.h"
#include "specs/value/ip.h"
#include "specs/value/result.h"

namespace plumb::driver {

class EndpointAddress : public std::enable_shared_from_this<EndpointAddress> {
 public:
  struct Surroundings {
    Metrics& metrics;
    Announcements& announcements;
    // Both are called under the runner's lock.
    std::function<void(const std::string& endpoint)> lost;  // before it has arrived
    std::function<void(const std::string& endpoint, const IpAddress&, const claim::Kept&)> keep;
  };
  EndpointAddress(const IpAddress& address, const std::optional<IpAddress>& gateway, Surroundings around)
      : address_(address), gateway_(gateway), around_(std::move(around)) {}

  [[nodiscard]] const IpAddress& address() const { return address_; }
  [[nodiscard]] const std::optional<IpAddress>& gateway() const { return gateway_; }

  // Whose it is. Nothing can be done with one that is nobody's yet.
  void belong(const NetworkRecord& network, const EndpointRecord& endpoint);
  // Its link is in the container, where the engine has put it on, or (`on_link` false) a claim has taken it off: from
  // now on a rival is one of a running endpoint.
  void arrived(bool on_link = true);
  // The link is about to go: it is left alone.
  void leave();

  // Of the claim: everything but put_on and take_off.
  [[nodiscard]] ClaimHooks hooks();
  // On its link, with the routes that it had. Errors: the kernel's; not_found (no such link, or container).
  [[nodiscard]] Result<void> put_on();
  void take_off();

  // Who else has it, and the network's policy is to stay all the same.
  [[nodiscard]] std::optional<ClaimRival> contested() const;
  // Whether somebody else has got it.
  [[nodiscard]] bool is_lost() const;
  [[nodiscard]] std::optional<ClaimRival> rival() const;

 private:
  void report(const ClaimReport& report);
  void report_rival(const ClaimReport& report);
  void announce();
  void keep(const claim::Kept& kept);
  [[nodiscard]] std::vector<netns::Route> first_routes(int ifindex) const;

  const IpAddress address_;
  const std::optional<IpAddress> gateway_;
  const Surroundings around_;
  mutable std::mutex mutex_;  // of what follows
  std::optional<EndpointRecord> endpoint_;
  WayOut way_;
  bool running_ = false;
  bool on_link_ = false;
  bool left_ = false;
  bool lost_ = false;
  bool doubted_ = false;
  std::optional<ClaimRival> contested_;
  std::optional<ClaimRival> rival_;
  std::vector<netns::Route> routes_;  // that went with it
  std::optional<std::chrono::steady_clock::time_point> said_at_;
};

}  // namespace plumb::driver
