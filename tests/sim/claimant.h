// Claimant: one process's claim of the address, on the simulator's LAN: the real machine, with time, and with what its
// process does on the link. As plugin/claim/claim_runner.h.
//
// Threads: one. Privilege: none.
#pragma once

#include <functional>
#include <memory>
#include <random>

#include "specs/claim/machine.h"
#include "tests/sim/lan.h"

namespace plumb::sim {

struct ClaimantHooks {
  std::function<void()> put_on = {};
  std::function<void()> take_off = {};
  std::function<void(const claim::Kept&)> keep = {};
  std::function<void()> changed = {};   // after anything was done
  std::function<void()> claiming = {};  // before a frame that says that the address is this node's
};

class Claimant : public std::enable_shared_from_this<Claimant> {
 public:
  Claimant(Timeline& time, Lan& lan, std::mt19937_64& random, std::size_t node, const claim::Settings& settings,
           ClaimantHooks hooks)
      : time_(time),
        lan_(lan),
        node_(node),
        hooks_(std::move(hooks)),
        machine_(
            settings, [&random] { return random(); },
            [&time] { return static_cast<std::uint64_t>(1'700'000'000'000 + time.now().count() / 1000); }) {}

  [[nodiscard]] claim::Machine& machine() { return machine_; }
  [[nodiscard]] claim::State state() const { return machine_.state(); }
  void hear(const Frame& frame);
  // After each call of the machine.
  void carry_out();
  // Others are told, and the link is left as it is.
  void withdraw();

 private:
  void carry_out(const claim::Effect& effect);

  Timeline& time_;
  Lan& lan_;
  std::size_t node_;
  ClaimantHooks hooks_;
  claim::Machine machine_;
  Time tick_at_{-1};
};

}  // namespace plumb::sim
