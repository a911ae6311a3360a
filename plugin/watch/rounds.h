// Rounds: announcements of addresses, of which the first is sent at once and the others follow; each under a share of
// the service's lock, and only as long as no verb has come since.
//
// Threads: one at a time. Privilege: CAP_NET_RAW, CAP_SYS_ADMIN to enter the namespace.
#pragma once

#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "plugin/node/service_lock.h"
#include "plugin/verb/actions.h"
#include "plugin/watch/metrics.h"
#include "plugin/watch/sentinel.h"

namespace plumb::watch {

class Rounds {
 public:
  explicit Rounds(Metrics& metrics) : metrics_(metrics) {}

  // Those that follow the first, which a heal has sent.
  void follow(std::vector<Claimed> claimed, std::string lock_path, const Generation& generation);
  // `rounds` of them, the first one now. Errors: the kernel's.
  [[nodiscard]] Result<void> announce(const std::string& service, const Sentinel& sentinel, const Claim& claim,
                                      unsigned rounds);
  // What is due.
  void send();
  [[nodiscard]] std::optional<Time> due() const;

 private:
  struct Run {
    std::vector<Claimed> claimed;
    std::string lock_path;
    Generation generation{};
    unsigned round = 0;  // the next
    Time due;
  };
  // False: that was the last.
  bool send(Run& run);

  Metrics& metrics_;
  std::vector<Run> runs_;
};

// Destroys it on a thread that nobody waits for: to close a packet socket takes 10 ms (synchronize_net).
template <typename T>
void close_later(T closing) {
  std::thread([own = std::move(closing)] {}).detach();
}

}  // namespace plumb::watch
