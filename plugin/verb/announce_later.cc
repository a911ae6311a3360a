#include "plugin/verb/announce_later.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <string>
#include <utility>

#include "plugin/node/detached.h"

namespace plumb {

namespace {

class Announcing {
 public:
  Announcing(std::vector<Claimed> claimed, VerbClaims& claims, const ServiceLock& lock)
      : claimed_(std::move(claimed)),
        claims_(claims),
        changes_(lock.changes()),
        lock_path_(lock.path()),
        generation_(lock.generation()) {
    for (const auto& c : claimed_) {
      rounds_ = std::max(rounds_, c.policy.count);
      interval_ = std::max(interval_, c.policy.interval);
    }
  }

  [[nodiscard]] unsigned rounds() const { return rounds_; }

  // What has to be left open.
  [[nodiscard]] std::vector<int> descriptors() const {
    auto out = claims_.descriptors();
    for (const auto& c : claimed_) out.insert(out.end(), {c.announcer.fd(), c.conversation});
    if (changes_ >= 0) out.push_back(changes_);
    return out;
  }

  void run() {
    for (unsigned round = 1; round < rounds_; ++round)
      if (!wait_for_round() || !send_round(round)) return;
  }

 private:
  [[nodiscard]] bool is_on_link(const IpAddress& address) const {
    const auto found =
        std::find_if(claimed_.begin(), claimed_.end(), [&](const Claimed& c) { return c.address == address; });
    return found != claimed_.end() && found->on_link();
  }

  // Waits for the interval to pass, or for the next verb: it writes its generation into the lock file when it begins.
  // False: there is one, or nothing is known any more, and nothing is ours to announce.
  bool wait_for_round() {
    const auto until = Clock::now() + interval_;
    for (;;) {
      const auto left = std::chrono::ceil<milliseconds>(until - Clock::now());
      if (left.count() <= 0) return true;
      if (!claims_.go_on(left, changes_, [this](const IpAddress& address) { return is_on_link(address); }))
        return false;
      std::array<char, 1024> drained{};
      [[maybe_unused]] const auto size = ::read(changes_, drained.data(), drained.size());
      if (current_generation(lock_path_.c_str()) != generation_) return false;
    }
  }

  // One round, sent under a share of the service's lock, so that no verb can withdraw the address meanwhile. False:
  // another verb has come since, or the devices are gone, and there is no further round.
  bool send_round(unsigned round) {
    const UniqueFd lock(::open(lock_path_.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!lock) return false;
    const bool held = ::flock(lock.get(), LOCK_SH | LOCK_NB) == 0;
    Generation now{};
    if (::pread(lock.get(), now.data(), now.size(), 0) != static_cast<ssize_t>(now.size()) || now != generation_)
      return false;
    // The watcher looks at the service, or a verb begins: this round is left out, and the next one knows more.
    if (!held) return true;
    unsigned frames = 0;
    for (auto& c : claimed_)
      if (round < c.policy.count && claims_.announces(c.address) && c.on_link()) frames += c.announcer.send();
    return frames > 0;
  }

  std::vector<Claimed> claimed_;
  VerbClaims& claims_;
  int changes_;
  std::string lock_path_;
  Generation generation_;
  unsigned rounds_ = 0;
  milliseconds interval_{0};
};

}  // namespace

void announce_later(std::vector<Claimed> claimed, VerbClaims& claims, const ServiceLock& lock) {
  Announcing announcing(std::move(claimed), claims, lock);
  if (announcing.rounds() < 2 || claims.pass_on() != 0) return;
  detach_process(announcing.descriptors());
  announcing.run();
  ::_exit(0);
}

}  // namespace plumb
