// The hand-over of a service's addresses from one node to another, which both run its containers: plumb(8), HAND-OVER.
//
// Who is to have the addresses asks for them when it is ready; who has them withdraws them and says so to who has asked
// first, who claims them then. At no instant do two nodes have one. Who gets no answer has no addresses: silence is
// what a node that is off, a port that does not forward yet and a LAN that is cut in two have in common.
//
// Threads: each object one at a time. Privilege: CAP_NET_RAW, CAP_NET_ADMIN, CAP_SYS_ADMIN.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "netns/lan/handover_channel.h"
#include "netns/lan/probe.h"
#include "plugin/engine/engine_time.h"
#include "specs/claim/handover.h"
#include "specs/plan/step.h"
#include "specs/service/service.h"
#include "specs/value/unique_fd.h"

namespace plumb {

// The node's devices that a service's addresses are plumbed on, to speak with the other nodes there.
class HandoverLan {
 public:
  // Errors: not_found (none of the devices is there), those of HandoverChannel.
  [[nodiscard]] static Result<HandoverLan> open(const Service& service);

  void say(netns::HandoverWord word, std::uint64_t number) const;
  // What another node says of this service; nullopt at the deadline, or as soon as `wake` is readable.
  [[nodiscard]] std::optional<netns::HandoverMessage> next(Clock::time_point until, int wake);

  [[nodiscard]] std::vector<int> descriptors() const;
  // For who has just withdrawn the addresses: they are for the first who has asked, by that number, or 0: who asks now.
  // It is said several times, as an answer may be lost, but for no longer than nobody can have found out by probes that
  // they are free.
  void give(std::uint64_t number);

  // For who has no time to close them: it takes some 10 ms.
  [[nodiscard]] std::vector<UniqueFd> release() &&;

 private:
  HandoverLan(std::string service, std::string node) : service_(std::move(service)), node_(std::move(node)) {}
  std::string service_;
  std::string node_;
  std::vector<netns::HandoverChannel> channels_;
};

// Lets a claim::HandoverTaker hear and speak.
class Requester {
 public:
  // `limit`: of the wait for who does not yield at once.
  Requester(HandoverLan& lan, bool force, std::optional<milliseconds> limit);
  // Asks, if it is time to, and listens until the next time, or until `wake` is readable.
  void step(int wake);
  // The LAN was asked for the addresses.
  void look(bool answered);
  [[nodiscard]] const claim::HandoverTaker& taker() const { return taker_; }
  // Once they are given: the node that has withdrawn them for this one.
  [[nodiscard]] const std::string& giver() const { return giver_; }
  // All that have withdrawn them since, for whomever.
  [[nodiscard]] const std::set<std::string>& givers() const { return givers_; }

 private:
  HandoverLan& lan_;
  claim::HandoverTaker taker_;
  std::string giver_;
  std::set<std::string> givers_;
};

// As the machines of specs/claim have it.
[[nodiscard]] claim::Time handover_time();

// Who has one of the addresses now.
struct AddressOwner {
  std::string ip;  // the resource
  netns::Rival rival;
};

// Asks the LAN, again and again until it is destroyed, whether somebody still has one of the addresses.
class OwnerWatch {
 public:
  OwnerWatch(const Service& service, std::vector<WantedAddress> wanted);
  ~OwnerWatch();
  OwnerWatch(const OwnerWatch&) = delete;
  OwnerWatch& operator=(const OwnerWatch&) = delete;

  // Readable when there is news of state().
  [[nodiscard]] int fd() const { return news_.get(); }
  struct State {
    std::optional<AddressOwner> owner;  // as the last round found
    std::optional<Error> error;         // the LAN could not be asked
    unsigned rounds = 0;                // that are over
  };
  // Takes the news.
  [[nodiscard]] State state();
  // No further round begins.
  void end() { thread_.request_stop(); }

 private:
  void run(const std::stop_token& stop);
  Result<std::optional<AddressOwner>> round(const std::stop_token& stop) const;
  void tell(Result<std::optional<AddressOwner>> found);

  const Service& service_;
  std::vector<WantedAddress> wanted_;
  UniqueFd news_;
  std::mutex mutex_;
  std::condition_variable_any stopped_;
  State state_;
  std::jthread thread_;
};

}  // namespace plumb
