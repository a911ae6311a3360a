// Announcements: sends what the claims of endpoints want to be announced, from inside their containers.
//
// By a thread of its own, since whoever asks for a round holds the claims' lock, and the close of a packet socket takes
// 10 ms. What was opened for a round is kept for the next ones of a burst, and no longer: a namespace that is held
// would outlive its container, and its address with it.
//
// Threads: safe from any. Privilege: CAP_NET_ADMIN, CAP_NET_RAW, CAP_SYS_ADMIN.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "netns/lan/announce.h"
#include "plugin/driver/metrics.h"
#include "plugin/driver/record/record.h"
#include "specs/value/ip.h"

namespace plumb::driver {

class Announcements {
 public:
  explicit Announcements(Metrics& metrics);

  // One round of frames for an address of the endpoint, whose sandbox is known, as soon as may be. Never waits.
  void send(const EndpointRecord& endpoint, const IpAddress& address, const std::optional<IpAddress>& gateway);
  // The endpoint's link is about to go: nothing more of it is announced, and its namespace is let go.
  void forget(const std::string& endpoint);

 private:
  using Clock = std::chrono::steady_clock;
  using Key = std::pair<std::string, IpAddress>;
  struct Round {
    EndpointRecord endpoint;
    IpAddress address;
    std::optional<IpAddress> gateway;
  };
  struct Open {
    netns::Announcer announcer;
    Clock::time_point until;
  };
  // Longer than the time between two announcements of a burst, as a rule.
  static constexpr std::chrono::seconds kKeptOpen{1};

  void run(const std::stop_token& stop);
  void send_one(std::unique_lock<std::mutex>& lock);
  void close_old();

  Metrics& metrics_;
  std::mutex mutex_;  // of what follows
  std::condition_variable_any changed_;
  std::deque<Round> rounds_;
  std::map<Key, Open> open_;
  std::vector<netns::Announcer> closing_;
  std::string sending_;  // the endpoint of the round that is being sent, unless it was forgotten meanwhile
  std::jthread thread_;  // last: it uses the others
};

}  // namespace plumb::driver
