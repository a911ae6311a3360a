// NamespaceWatch: what is listened to for one service in one network namespace, be it a container's or the node's own.
//
// Sockets keep a namespace alive, and with it the addresses of a container that is gone: a watch is dropped as soon
// as its process has ended. Threads: one at a time. Privilege: CAP_NET_RAW, CAP_SYS_ADMIN to enter the namespace.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "netns/link/link_watch.h"
#include "netns/namespace/process.h"
#include "plugin/verb/observer.h"
#include "plugin/watch/decision.h"
#include "plugin/watch/held_claim.h"
#include "specs/service/service.h"

namespace plumb::watch {

// More than so many rivals are not named: whoever changes its MAC all the time fills no log.
inline constexpr std::size_t kNamedRivals = 8;

struct GuardedClaim {
  Claim claim;
  std::shared_ptr<HeldClaim> held;
  std::vector<Mac> named = {};    // rivals that were reported
  std::vector<Mac> lost_to = {};  // and to whom it was
};

struct NamespaceWatch {
  std::string key;    // all that it was made for: another key is another watch
  std::string owner;  // the container's id in the configuration; empty: the node's namespace
  std::shared_ptr<const netns::Namespace> ns;
  std::optional<netns::Process> process;    // of a container
  std::optional<netns::LinkWatch> changes;  // of a container: the node's own is for all
  std::vector<GuardedClaim> claims;
};

// What is to be listened to as things are.
struct NamespaceWatchPlan {
  std::string key;
  std::string owner;
  int pid = 0;  // 0: the node's namespace
  std::vector<Claim> claims;
};
// `withheld`: addresses that are claimed though they are not on their links.
[[nodiscard]] std::vector<NamespaceWatchPlan> namespace_watches_for(const Service& service,
                                                                    const Observation& observation,
                                                                    const std::set<IpAddress>& withheld);

// Errors: not_found when the container has ended meanwhile; permission, EMFILE. An address that cannot be listened for
// is left out.
[[nodiscard]] Result<NamespaceWatch> open_namespace_watch(const NamespaceWatchPlan& plan,
                                                          const Observation& observation, const ClaimContext& context);

// Ends it: its claims are others' to go on with, or, when the service was stopped, withdrawn.
void end_namespace_watch(NamespaceWatch watch, bool stopped = false);

// Destroys it on a thread that nobody waits for: to close a packet socket takes 10 ms (synchronize_net).
template <typename T>
void close_later(T closing) {
  std::thread([own = std::move(closing)] {}).detach();
}

}  // namespace plumb::watch
