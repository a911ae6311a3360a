// Sentinels: what is listened to for one service in one network namespace, be it a container's or the node's own.
//
// Sockets keep a namespace alive, and with it the addresses of a container that is gone: a sentinel is dropped as soon
// as its process has ended. Threads: one at a time. Privilege: CAP_NET_RAW, CAP_SYS_ADMIN to enter the namespace.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "netns/lan/rival_watch.h"
#include "netns/link/link_watch.h"
#include "netns/namespace/process.h"
#include "plugin/verb/observer.h"
#include "plugin/watch/decision.h"
#include "specs/service/service.h"

namespace plumb::watch {

// One address that is there, as who announces it has to know it.
struct Claim {
  std::string resource;
  IpAddress address;
  int ifindex = 0;
  Mac mac;
  std::optional<IpAddress> gateway;
  ConflictPolicy conflict = ConflictPolicy::fail;
  AnnouncePolicy announce;
  std::set<std::string> uplinks;  // devices of the node: when the carrier of one returns, it is announced
};

// A rival that has claimed nothing for so long is taken for gone.
inline constexpr std::chrono::seconds kRivalSilence{30};
// More than so many are not named: whoever changes its MAC all the time fills no log.
inline constexpr std::size_t kNamedRivals = 8;

// What is heard of somebody else who claims it.
struct RivalState {
  std::optional<Mac> mac;  // the last one
  std::vector<Mac> named;  // those that were reported
  Time heard{};
  std::optional<Time> defended;
};

struct GuardedClaim {
  Claim claim;
  netns::RivalWatch watch;
  RivalState rival;
};

struct Sentinel {
  std::string key;    // all that it was made for: another key is another sentinel
  std::string owner;  // the container's id in the configuration; empty: the node's namespace
  std::shared_ptr<const netns::Namespace> ns;
  std::optional<netns::Process> process;    // of a container
  std::optional<netns::LinkWatch> changes;  // of a container: the node's own is for all
  std::vector<GuardedClaim> claims;
};

// What is to be listened to as things are.
struct SentinelPlan {
  std::string key;
  std::string owner;
  int pid = 0;  // 0: the node's namespace
  std::vector<Claim> claims;
};
[[nodiscard]] std::vector<SentinelPlan> sentinels_for(const Service& service, const Observation& observation);

// Errors: not_found when the container has ended meanwhile; permission, EMFILE. An address that cannot be listened for
// is left out.
[[nodiscard]] Result<Sentinel> post(const SentinelPlan& plan, const Observation& observation);

}  // namespace plumb::watch
