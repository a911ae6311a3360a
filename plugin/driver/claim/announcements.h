// Announcements: sends what the claims of endpoints want to be announced, from inside their containers.
//
// By a thread of its own, since whoever asks for a round holds the claims' lock, and the close of a packet socket takes
// 10 ms. What was opened for a round is kept for the next ones of a burst, and no longer: a namespace that is held
// would outlive its container, and its address with it. Each container needs a socket of its own, so their number has a
// bound: when a thousand addresses are announced at once, they take turns. A round for an address that still waits for
// one is that one, so the queue has a bound, too; and where there are no descriptors, it waits for some.
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

  // One round of frames for an address of the endpoint, whose sandbox is known, as soon as may be; the same as one that
  // still waits for its turn. Never waits.
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
  static constexpr std::size_t kMostOpen = 64;  // sockets at once, where the limit of descriptors allows it
  static constexpr std::size_t kMadeRoom = 8;   // so many are closed together: that takes as long as one
  // Where there was no descriptor, before it is tried again.
  static constexpr std::chrono::milliseconds kTriedAgain{100};

  void run(const std::stop_token& stop);
  void send_one(std::unique_lock<std::mutex>& lock);
  [[nodiscard]] std::optional<netns::Announcer> take_open(const Key& key);
  void wait_for_descriptors(std::unique_lock<std::mutex>& lock, Round round, const Error& why);
  void make_room(std::unique_lock<std::mutex>& lock, std::size_t count);
  void close_old();

  Metrics& metrics_;
  const std::size_t most_open_;
  std::mutex mutex_;  // of what follows
  std::condition_variable_any changed_;
  std::deque<Round> rounds_;
  std::map<Key, Open> open_;
  std::vector<netns::Announcer> closing_;
  std::string sending_;   // the endpoint of the round that is being sent, unless it was forgotten meanwhile
  bool starved_ = false;  // there was no descriptor, which was said
  std::jthread thread_;   // last: it uses the others
};

}  // namespace plumb::driver
